//! From text to syntax tree.

use super::filters::Filter;
use super::lexer::{Lexer, Token};
use super::meter::Trouble;
use super::operators::{Arithmetic, Comparison};
use super::tests::Test;
use super::tree::{Args, Expr, Link, Node, Target};

/// How deep brackets and blocks may nest.
pub(in crate::template) const MAX_DEPTH: usize = 48;

/// What can be called.
pub(in crate::template) const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

const RESERVED: [&str; 9] = [
    "and", "or", "not", "if", "else", "in", "is", "true", "false",
];

/// Parses a text with `{{ }}`, `{% %}` and `{# #}` in it.
pub(in crate::template) fn parse_template(source: &str) -> Result<Vec<Node>, Trouble> {
    let mut parser = Parser::new(source);
    let (nodes, end) = parser.nodes(&[])?;
    debug_assert!(end.is_empty());
    Ok(nodes)
}

/// Parses an expression that stands alone.
pub(in crate::template) fn parse_expression(source: &str) -> Result<Expr, Trouble> {
    let mut parser = Parser::new(source);
    parser.advance()?;
    let expr = parser.expr()?;
    match parser.token {
        Token::End => Ok(expr),
        _ => Err(parser.unexpected("the end of the expression")),
    }
}

struct Parser<'s> {
    lexer: Lexer<'s>,
    token: Token<'s>,
    depth: usize,
    /// The last tag said that blanks after it are dropped.
    trim_next: bool,
}

const OPENINGS: [&str; 3] = ["{{", "{%", "{#"];

impl<'s> Parser<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            lexer: Lexer::new(source),
            token: Token::End,
            depth: 0,
            trim_next: false,
        }
    }

    // ---- texts and tags

    /// Parses up to one of the tags `ends`, or to the end of the text if there are none.
    fn nodes(&mut self, ends: &[&str]) -> Result<(Vec<Node>, &'s str), Trouble> {
        self.deeper()?;
        let mut nodes = Vec::new();
        loop {
            let opening = self.plain(&mut nodes);
            match opening {
                None if ends.is_empty() => {
                    self.depth -= 1;
                    return Ok((nodes, ""));
                }
                None => {
                    let message =
                        format!("'{{% {} %}}' is missing at the end", ends[ends.len() - 1]);
                    return Err(Trouble::Syntax(message));
                }
                Some("{#") => self.comment()?,
                Some("{{") => {
                    self.open("}}")?;
                    let expr = self.expr()?;
                    self.close()?;
                    nodes.push(Node::Emit(expr));
                }
                Some(_) => {
                    self.open("%}")?;
                    let Token::Name(tag) = self.token else {
                        return Err(self.unexpected("the name of a tag"));
                    };
                    self.advance()?;
                    if ends.contains(&tag) {
                        self.depth -= 1;
                        return Ok((nodes, tag));
                    }
                    if tag == "raw" {
                        nodes.push(self.raw()?);
                    } else if tag == "autoescape" {
                        self.expr()?;
                        nodes.append(&mut self.body("endautoescape")?);
                    } else {
                        nodes.push(self.tag(tag)?);
                    }
                }
            }
        }
    }

    /// Takes the text before the next opening and the opening itself.
    fn plain(&mut self, nodes: &mut Vec<Node>) -> Option<&'static str> {
        let rest = self.lexer.rest();
        let found = rest.match_indices('{').find_map(|(at, _)| {
            let opening = OPENINGS.into_iter().find(|it| rest[at..].starts_with(it))?;
            Some((at, opening))
        });
        let mut text = found.map_or(rest, |(at, _)| &rest[..at]);
        self.lexer.at += text.len();
        if std::mem::take(&mut self.trim_next) {
            text = text.trim_start();
        }
        if found.is_some() {
            self.lexer.at += 2;
            if self.lexer.rest().starts_with('-') {
                text = text.trim_end();
                self.lexer.at += 1;
            } else if self.lexer.rest().starts_with('+') {
                self.lexer.at += 1;
            }
        }
        if !text.is_empty() {
            nodes.push(Node::Text(text.into()));
        }
        found.map(|(_, opening)| opening)
    }

    fn comment(&mut self) -> Result<(), Trouble> {
        let rest = self.lexer.rest();
        let end = rest
            .find("#}")
            .ok_or_else(|| Trouble::Syntax("a comment '{#' is not closed by '#}'".to_owned()))?;
        self.trim_next = rest[..end].ends_with('-');
        self.lexer.at += end + 2;
        Ok(())
    }

    fn open(&mut self, close: &'static str) -> Result<(), Trouble> {
        self.lexer.enter(close);
        self.advance()
    }

    /// The end of a tag. What follows is text, so no word is read ahead.
    fn close(&mut self) -> Result<(), Trouble> {
        match self.token {
            Token::Close(_, trims) => {
                self.trim_next = trims;
                Ok(())
            }
            _ => {
                let close = self.lexer.close.unwrap_or_default();
                Err(self.unexpected(&format!("'{close}'")))
            }
        }
    }

    fn raw(&mut self) -> Result<Node, Trouble> {
        self.close()?;
        let trims = std::mem::take(&mut self.trim_next);
        let rest = self.lexer.rest();
        let mut from = 0;
        while let Some(at) = rest[from..].find("{%").map(|at| from + at) {
            let inner = rest[at + 2..].trim_start_matches('-').trim_start();
            let tail = inner.strip_prefix("endraw").map(str::trim_start);
            let tail = tail.map(|tail| (tail.starts_with('-'), tail.trim_start_matches('-')));
            if let Some((trims_next, tail)) = tail
                && let Some(tail) = tail.strip_prefix("%}")
            {
                let mut text = &rest[..at];
                if trims {
                    text = text.trim_start();
                }
                if rest[at + 2..].starts_with('-') {
                    text = text.trim_end();
                }
                self.lexer.at += rest.len() - tail.len();
                self.trim_next = trims_next;
                return Ok(Node::Text(text.into()));
            }
            from = at + 2;
        }
        Err(Trouble::Syntax(
            "'{% endraw %}' is missing at the end".to_owned(),
        ))
    }

    fn body(&mut self, end: &str) -> Result<Vec<Node>, Trouble> {
        self.close()?;
        let (nodes, _) = self.nodes(&[end])?;
        self.close()?;
        Ok(nodes)
    }

    fn tag(&mut self, tag: &str) -> Result<Node, Trouble> {
        match tag {
            "if" => self.if_tag(),
            "for" => self.for_tag(),
            "set" => self.set_tag(),
            "with" => {
                let mut values = Vec::new();
                while let Token::Name(name) = self.token {
                    self.advance()?;
                    self.expect("=")?;
                    values.push((name.into(), self.expr()?));
                    if !self.skip(",")? {
                        break;
                    }
                }
                Ok(Node::With(values, self.body("endwith")?))
            }
            "filter" => {
                let filters = self.filter_chain()?;
                Ok(Node::FilterBlock(filters, self.body("endfilter")?))
            }
            "do" => {
                let expr = self.expr()?;
                self.close()?;
                Ok(Node::Do(expr))
            }
            _ => Err(Trouble::Syntax(format!(
                "there is no tag '{tag}' here; there are if, for, set, with, filter, do, raw"
            ))),
        }
    }

    fn if_tag(&mut self) -> Result<Node, Trouble> {
        let mut branches = Vec::new();
        let mut when = self.expr()?;
        loop {
            self.close()?;
            let (body, end) = self.nodes(&["elif", "else", "endif"])?;
            branches.push((when, body));
            match end {
                "elif" => when = self.expr()?,
                "else" => {
                    let otherwise = self.body("endif")?;
                    return Ok(Node::If {
                        branches,
                        otherwise,
                    });
                }
                _ => {
                    self.close()?;
                    let otherwise = Vec::new();
                    return Ok(Node::If {
                        branches,
                        otherwise,
                    });
                }
            }
        }
    }

    fn for_tag(&mut self) -> Result<Node, Trouble> {
        let names = self.names()?;
        if !self.skip_name("in")? {
            return Err(self.unexpected("'in'"));
        }
        // The 'if' of a loop is not that of a choice.
        let over = self.or()?;
        let only = self.skip_name("if")?.then(|| self.expr()).transpose()?;
        if self.token == Token::Name("recursive") {
            let message = "loops cannot be recursive here".to_owned();
            return Err(Trouble::Syntax(message));
        }
        self.close()?;
        let (body, end) = self.nodes(&["else", "endfor"])?;
        let otherwise = if end == "else" {
            self.body("endfor")?
        } else {
            self.close()?;
            Vec::new()
        };
        Ok(Node::For {
            names,
            over,
            only,
            body,
            otherwise,
        })
    }

    fn set_tag(&mut self) -> Result<Node, Trouble> {
        let mut names = self.names()?;
        let target = if names.len() == 1 && self.skip(".")? {
            Target::Member(names.remove(0), self.name()?.into())
        } else {
            Target::Names(names)
        };
        if self.skip("=")? {
            let mut value = self.expr()?;
            if self.token == Token::Sign(",") {
                let mut items = vec![value];
                while self.skip(",")? {
                    items.push(self.expr()?);
                }
                value = Expr::List(items);
            }
            self.close()?;
            return Ok(Node::Set(target, value));
        }
        let filters = match self.skip("|")? {
            true => self.filter_chain()?,
            false => Vec::new(),
        };
        let body = self.body("endset")?;
        Ok(Node::SetBlock {
            target,
            filters,
            body,
        })
    }

    fn names(&mut self) -> Result<Vec<Box<str>>, Trouble> {
        let bracket = self.skip("(")?;
        let mut names = vec![self.name()?.into()];
        while self.skip(",")? {
            if !matches!(self.token, Token::Name(name) if name != "in") {
                break;
            }
            names.push(self.name()?.into());
        }
        if bracket {
            self.expect(")")?;
        }
        Ok(names)
    }

    fn filter_chain(&mut self) -> Result<Vec<Link>, Trouble> {
        let mut links = vec![self.filter()?];
        while self.skip("|")? {
            links.push(self.filter()?);
        }
        Ok(links)
    }

    // ---- expressions, loosest binding first

    fn expr(&mut self) -> Result<Expr, Trouble> {
        self.deeper()?;
        let mut value = self.or()?;
        let mut choices = Vec::new();
        let mut otherwise = None;
        while self.skip_name("if")? {
            let when = self.or()?;
            choices.push((value, when));
            if !self.skip_name("else")? {
                self.depth -= 1;
                return Ok(Expr::Choice(choices, None));
            }
            value = self.or()?;
        }
        if !choices.is_empty() {
            otherwise = Some(Box::new(value));
            value = Expr::Null;
        }
        self.depth -= 1;
        Ok(match otherwise {
            Some(otherwise) => Expr::Choice(choices, Some(otherwise)),
            None => value,
        })
    }

    fn or(&mut self) -> Result<Expr, Trouble> {
        let first = self.and()?;
        if self.token != Token::Name("or") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.skip_name("or")? {
            all.push(self.and()?);
        }
        Ok(Expr::Or(all))
    }

    fn and(&mut self) -> Result<Expr, Trouble> {
        let first = self.not()?;
        if self.token != Token::Name("and") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.skip_name("and")? {
            all.push(self.not()?);
        }
        Ok(Expr::And(all))
    }

    fn not(&mut self) -> Result<Expr, Trouble> {
        let mut count = 0;
        while self.skip_name("not")? {
            count += 1;
        }
        let expr = self.compare()?;
        Ok(match count {
            0 => expr,
            _ => Expr::Not(Box::new(expr), count),
        })
    }

    fn compare(&mut self) -> Result<Expr, Trouble> {
        let first = self.arithmetic(0)?;
        let mut rest = Vec::new();
        loop {
            let comparison = match self.token {
                Token::Sign(sign) => Comparison::of(sign),
                Token::Name("in") => Some(Comparison::In),
                Token::Name("not") if self.next_is_in() => {
                    self.advance()?;
                    Some(Comparison::NotIn)
                }
                _ => None,
            };
            let Some(comparison) = comparison else { break };
            self.advance()?;
            rest.push((comparison, self.arithmetic(0)?));
        }
        Ok(match rest.is_empty() {
            true => first,
            false => Expr::Compare(Box::new(first), rest),
        })
    }

    /// Whether the word after this one is `in`.
    fn next_is_in(&self) -> bool {
        let rest = self.lexer.rest().trim_start();
        rest.strip_prefix("in")
            .is_some_and(|tail| !tail.starts_with(|c: char| c == '_' || c.is_alphanumeric()))
    }

    fn arithmetic(&mut self, level: usize) -> Result<Expr, Trouble> {
        let Some(signs) = Arithmetic::LEVELS.get(level) else {
            return self.unary();
        };
        let first = self.arithmetic(level + 1)?;
        let mut rest = Vec::new();
        while let Token::Sign(sign) = self.token
            && let Some((_, operator)) = signs.iter().find(|(it, _)| *it == sign)
        {
            self.advance()?;
            rest.push((*operator, self.arithmetic(level + 1)?));
        }
        Ok(match rest.is_empty() {
            true => first,
            false => Expr::Arithmetic(Box::new(first), rest),
        })
    }

    fn unary(&mut self) -> Result<Expr, Trouble> {
        let mut count = 0;
        while self.skip("-")? {
            count += 1;
        }
        let base = self.primary()?;
        let mut links = Vec::new();
        self.postfix(&mut links)?;
        let mut base = chain(base, &mut links);
        if count > 0 {
            base = Expr::Minus(Box::new(base), count);
        }
        loop {
            if self.skip("|")? {
                links.push(self.filter()?);
            } else if self.skip_name("is")? {
                links.push(self.test()?);
            } else {
                self.postfix(&mut links)?;
                return Ok(chain(base, &mut links));
            }
        }
    }

    fn postfix(&mut self, links: &mut Vec<Link>) -> Result<(), Trouble> {
        loop {
            if self.skip(".")? {
                let name = match self.token {
                    Token::Int(index) => {
                        self.advance()?;
                        links.push(Link::Item(Expr::Int(index)));
                        continue;
                    }
                    _ => self.name()?,
                };
                if self.token == Token::Sign("(") {
                    if name != "cycle" {
                        return Err(unknown("method", name));
                    }
                    links.push(Link::Cycle(self.args()?));
                } else {
                    links.push(Link::Attr(name.into()));
                }
            } else if self.skip("[")? {
                links.push(self.item()?);
            } else if self.token == Token::Sign("(") {
                return Err(self.unexpected("an operator; only functions can be called"));
            } else {
                return Ok(());
            }
        }
    }

    fn item(&mut self) -> Result<Link, Trouble> {
        let mut parts: [Option<Expr>; 3] = [None, None, None];
        let mut colons = 0;
        for (index, part) in parts.iter_mut().enumerate() {
            if !matches!(self.token, Token::Sign(":" | "]")) {
                *part = Some(self.expr()?);
            }
            if index == 2 || !self.skip(":")? {
                break;
            }
            colons += 1;
        }
        self.expect("]")?;
        if colons > 0 {
            return Ok(Link::Slice(Box::new(parts)));
        }
        let [item, ..] = parts;
        item.map(Link::Item)
            .ok_or_else(|| Trouble::Syntax("'[' needs a key, as in 'list[0]'".to_owned()))
    }

    fn filter(&mut self) -> Result<Link, Trouble> {
        let name = self.name()?;
        let filter = Filter::named(name).ok_or_else(|| unknown("filter", name))?;
        let args = match self.token {
            Token::Sign("(") => self.args()?,
            _ => Args::default(),
        };
        Ok(Link::Filter(filter, args))
    }

    fn test(&mut self) -> Result<Link, Trouble> {
        let negated = self.skip_name("not")?;
        let name = match &self.token {
            Token::Name(name) => (*name).to_owned(),
            _ => return Err(self.unexpected("the name of a test")),
        };
        self.advance()?;
        let test = Test::named(&name).ok_or_else(|| unknown("test", &name))?;
        let args = match &self.token {
            Token::Sign("(") => self.args()?,
            // 'is divisibleby 3'
            Token::Int(_) | Token::Float(_) | Token::Text(_) | Token::Sign("[") => {
                self.one_arg()?
            }
            Token::Name(word) if !RESERVED.contains(word) => self.one_arg()?,
            _ => Args::default(),
        };
        Ok(Link::Test(test, args, negated))
    }

    fn one_arg(&mut self) -> Result<Args, Trouble> {
        self.deeper()?;
        let base = self.primary()?;
        let mut links = Vec::new();
        self.postfix(&mut links)?;
        self.depth -= 1;
        let positional = vec![chain(base, &mut links)];
        let named = Vec::new();
        Ok(Args { positional, named })
    }

    fn args(&mut self) -> Result<Args, Trouble> {
        self.expect("(")?;
        let mut args = Args::default();
        while self.token != Token::Sign(")") {
            let named = match self.token {
                Token::Name(name) => {
                    let rest = self.lexer.rest().trim_start();
                    (rest.starts_with('=') && !rest.starts_with("==")).then_some(name)
                }
                _ => None,
            };
            if let Some(name) = named {
                self.advance()?;
                self.expect("=")?;
                args.named.push((name.into(), self.expr()?));
            } else {
                args.positional.push(self.expr()?);
            }
            if !self.skip(",")? {
                break;
            }
        }
        self.expect(")")?;
        Ok(args)
    }

    fn primary(&mut self) -> Result<Expr, Trouble> {
        let token = std::mem::replace(&mut self.token, Token::End);
        let expr = match token {
            Token::Int(number) => Expr::Int(number),
            Token::Float(number) => Expr::Float(number),
            Token::Text(text) => return self.text(text),
            Token::Name("true" | "True") => Expr::Bool(true),
            Token::Name("false" | "False") => Expr::Bool(false),
            Token::Name("none" | "None" | "null") => Expr::Null,
            Token::Name(name) if !RESERVED.contains(&name) => return self.named(name),
            Token::Sign("(") => return self.bracket(),
            Token::Sign("[") => return self.list(),
            Token::Sign("{") => return self.map(),
            other => {
                self.token = other;
                return Err(self.unexpected("a value"));
            }
        };
        self.advance()?;
        Ok(expr)
    }

    /// Texts side by side are one.
    fn text(&mut self, first: Box<str>) -> Result<Expr, Trouble> {
        self.advance()?;
        let mut text = String::from(first);
        while let Token::Text(more) = &self.token {
            text.push_str(more);
            self.advance()?;
        }
        Ok(Expr::Text(text.into()))
    }

    fn named(&mut self, name: &'s str) -> Result<Expr, Trouble> {
        self.advance()?;
        if self.token != Token::Sign("(") {
            return Ok(Expr::Var(name.into()));
        }
        match name {
            "range" => self.args().map(Expr::Range),
            "dict" => self.args().map(Expr::Dict),
            "namespace" => self.args().map(Expr::Namespace),
            _ => Err(unknown("function", name)),
        }
    }

    fn bracket(&mut self) -> Result<Expr, Trouble> {
        self.advance()?;
        if self.skip(")")? {
            return Ok(Expr::List(Vec::new()));
        }
        let first = self.expr()?;
        if self.token != Token::Sign(",") {
            self.expect(")")?;
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip(",")? && self.token != Token::Sign(")") {
            items.push(self.expr()?);
        }
        self.expect(")")?;
        Ok(Expr::List(items))
    }

    fn list(&mut self) -> Result<Expr, Trouble> {
        self.advance()?;
        let mut items = Vec::new();
        while self.token != Token::Sign("]") {
            items.push(self.expr()?);
            if !self.skip(",")? {
                break;
            }
        }
        self.expect("]")?;
        Ok(Expr::List(items))
    }

    fn map(&mut self) -> Result<Expr, Trouble> {
        self.advance()?;
        let mut entries = Vec::new();
        while self.token != Token::Sign("}") {
            let key = self.expr()?;
            self.expect(":")?;
            entries.push((key, self.expr()?));
            if !self.skip(",")? {
                break;
            }
        }
        self.expect("}")?;
        Ok(Expr::Map(entries))
    }

    // ---- words

    fn deeper(&mut self) -> Result<(), Trouble> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("brackets and blocks are nested more than {MAX_DEPTH} deep");
            return Err(Trouble::Syntax(message));
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<(), Trouble> {
        self.token = self.lexer.word()?;
        Ok(())
    }

    fn skip(&mut self, sign: &str) -> Result<bool, Trouble> {
        let is = matches!(self.token, Token::Sign(it) if it == sign);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn skip_name(&mut self, name: &str) -> Result<bool, Trouble> {
        let is = matches!(self.token, Token::Name(it) if it == name);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn expect(&mut self, sign: &str) -> Result<(), Trouble> {
        match self.skip(sign)? {
            true => Ok(()),
            false => Err(self.unexpected(&format!("'{sign}'"))),
        }
    }

    fn name(&mut self) -> Result<&'s str, Trouble> {
        match self.token {
            Token::Name(name) => {
                self.advance()?;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    fn unexpected(&self, expected: &str) -> Trouble {
        let found = match &self.token {
            Token::Name(name) => format!("'{name}'"),
            Token::Text(_) => "a text".to_owned(),
            Token::Int(number) => format!("'{number}'"),
            Token::Float(number) => format!("'{number}'"),
            Token::Sign(sign) | Token::Close(sign, _) => format!("'{sign}'"),
            Token::End => "the end".to_owned(),
        };
        let end = self.lexer.at.min(self.lexer.source.len());
        let line = self
            .lexer
            .source
            .get(..end)
            .unwrap_or_default()
            .matches('\n')
            .count()
            + 1;
        let line = match line {
            1 => String::new(),
            _ => format!(" in line {line}"),
        };
        Trouble::Syntax(format!("expected {expected}, found {found}{line}"))
    }
}

fn chain(base: Expr, links: &mut Vec<Link>) -> Expr {
    match links.is_empty() {
        true => base,
        false => Expr::Chain(Box::new(base), std::mem::take(links)),
    }
}

fn unknown(kind: &'static str, name: &str) -> Trouble {
    let name = name.to_owned();
    Trouble::Unknown { kind, name }
}
