//! Evaluates a parsed template.

use super::filters::{Given, member};
use super::meter::{Meter, Trouble};
use super::tree::{Args, Expr, Link, Node, Target};
use super::value::{ITEM, Text, Val};
use serde_json::Value;
use std::collections::BTreeMap;

/// What looking at a node of the tree costs.
const STEP: usize = 16;

/// One rendering: the scope, what the template has set, and what it may still cost.
#[derive(Debug)]
pub(in crate::template) struct Render<'a, 'm> {
    scope: &'a Value,
    meter: &'m mut Meter,
    /// Variables that are set, innermost last.
    variables: Vec<(&'a str, Val<'a>)>,
    /// Where the variables of the innermost block begin.
    block: usize,
    namespaces: Vec<BTreeMap<&'a str, Val<'a>>>,
    loops: usize,
}

impl<'a, 'm> Render<'a, 'm> {
    pub(in crate::template) fn new(scope: &'a Value, meter: &'m mut Meter) -> Self {
        Self {
            scope,
            meter,
            variables: Vec::new(),
            block: 0,
            namespaces: Vec::new(),
            loops: 0,
        }
    }

    /// The text of a template.
    pub(in crate::template) fn text(mut self, nodes: &'a [Node]) -> Result<String, Trouble> {
        let mut out = String::new();
        self.nodes(nodes, &mut out)?;
        Ok(out)
    }

    /// The value of an expression.
    pub(in crate::template) fn value(mut self, expr: &'a Expr) -> Result<Value, Trouble> {
        self.eval(expr)?.to_json(self.meter)
    }

    fn nodes(&mut self, nodes: &'a [Node], out: &mut String) -> Result<(), Trouble> {
        for node in nodes {
            self.meter.pay(STEP)?;
            self.node(node, out)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &'a Node, out: &mut String) -> Result<(), Trouble> {
        match node {
            Node::Text(text) => self.put(text, out),
            Node::Emit(expr) => {
                let value = self.eval(expr)?;
                let text = value.printed(self.meter)?;
                self.put(text.as_str(), out)
            }
            Node::If {
                branches,
                otherwise,
            } => {
                for (when, body) in branches {
                    if self.eval(when)?.is_true()? {
                        return self.nodes(body, out);
                    }
                }
                self.nodes(otherwise, out)
            }
            Node::For {
                names,
                over,
                only,
                body,
                otherwise,
            } => {
                let items = self.chosen(names, over, only.as_ref())?;
                if items.is_empty() {
                    return self.nodes(otherwise, out);
                }
                self.each(names, items, body, out)
            }
            Node::Set(target, expr) => {
                let value = self.eval(expr)?;
                self.set(target, value)
            }
            Node::SetBlock {
                target,
                filters,
                body,
            } => {
                let text = self.captured(body)?;
                let value = self.links(text, filters)?;
                self.set(target, value)
            }
            Node::With(values, body) => {
                let mut set = Vec::new();
                for (name, expr) in values {
                    set.push((&**name, self.eval(expr)?));
                }
                let outer = self.enter();
                for (name, value) in set {
                    self.assign(name, value)?;
                }
                let done = self.nodes(body, out);
                self.leave(outer);
                done
            }
            Node::FilterBlock(filters, body) => {
                let text = self.captured(body)?;
                let text = self.links(text, filters)?.printed(self.meter)?;
                self.put(text.as_str(), out)
            }
            Node::Do(expr) => self.eval(expr).map(drop),
        }
    }

    fn put(&mut self, text: &str, out: &mut String) -> Result<(), Trouble> {
        self.meter.pay_each(text.len(), 3)?;
        out.push_str(text);
        Ok(())
    }

    fn captured(&mut self, body: &'a [Node]) -> Result<Val<'a>, Trouble> {
        let mut text = String::new();
        let outer = self.enter();
        let done = self.nodes(body, &mut text);
        self.leave(outer);
        done.map(|()| Val::text(text))
    }

    // ---- loops and variables

    /// The items of a loop that its condition lets through.
    fn chosen(
        &mut self,
        names: &'a [Box<str>],
        over: &'a Expr,
        only: Option<&'a Expr>,
    ) -> Result<Vec<Val<'a>>, Trouble> {
        let items = self.eval(over)?.items(self.meter)?;
        let Some(only) = only else {
            return Ok(items);
        };
        let mut chosen = Vec::new();
        for item in items {
            let outer = self.enter();
            self.unpack(names, item.clone())?;
            let holds = self.eval(only)?.is_true()?;
            self.leave(outer);
            if holds {
                chosen.push(item);
            }
        }
        Ok(chosen)
    }

    fn each(
        &mut self,
        names: &'a [Box<str>],
        items: Vec<Val<'a>>,
        body: &'a [Node],
        out: &mut String,
    ) -> Result<(), Trouble> {
        let len = items.len();
        self.loops += 1;
        let depth = self.loops;
        for (index, item) in items.into_iter().enumerate() {
            self.meter.pay(STEP)?;
            let outer = self.enter();
            self.unpack(names, item)?;
            self.assign("loop", Val::Loop { index, len, depth })?;
            self.nodes(body, out)?;
            self.leave(outer);
        }
        self.loops -= 1;
        Ok(())
    }

    fn enter(&mut self) -> (usize, usize) {
        let outer = (self.block, self.variables.len());
        self.block = self.variables.len();
        outer
    }

    fn leave(&mut self, (block, variables): (usize, usize)) {
        self.block = block;
        self.variables.truncate(variables);
    }

    fn assign(&mut self, name: &'a str, value: Val<'a>) -> Result<(), Trouble> {
        let own = &mut self.variables[self.block..];
        self.meter.pay_each(own.len() + 1, 2)?;
        match own.iter_mut().find(|(it, _)| *it == name) {
            Some((_, place)) => *place = value,
            None => {
                self.meter.pay(2 * ITEM)?;
                self.variables.push((name, value));
            }
        }
        Ok(())
    }

    fn unpack(&mut self, names: &'a [Box<str>], value: Val<'a>) -> Result<(), Trouble> {
        if let [name] = names {
            return self.assign(name, value);
        }
        let items = value.items(self.meter)?;
        if items.len() != names.len() {
            let message = format!("{} names, and {} values for them", names.len(), items.len());
            return Err(Trouble::Failed(message));
        }
        for (name, item) in names.iter().zip(items) {
            self.assign(name, item)?;
        }
        Ok(())
    }

    fn set(&mut self, target: &'a Target, value: Val<'a>) -> Result<(), Trouble> {
        match target {
            Target::Names(names) => self.unpack(names, value),
            Target::Member(name, key) => {
                let Val::Namespace(index) = self.variable(name)? else {
                    let message =
                        format!("'{name}' is not a namespace, so '{key}' cannot be set in it");
                    return Err(Trouble::Failed(message));
                };
                self.meter.pay(2 * ITEM)?;
                self.namespaces[index].insert(key, value);
                Ok(())
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<Val<'a>, Trouble> {
        self.meter.pay_each(self.variables.len(), 2)?;
        let set = self.variables.iter().rev().find(|(it, _)| *it == name);
        Ok(match set {
            Some((_, value)) => value.clone(),
            None => self.scope.get(name).map_or(Val::Undefined, Val::lent),
        })
    }

    // ---- expressions

    fn eval(&mut self, expr: &'a Expr) -> Result<Val<'a>, Trouble> {
        self.meter.pay(STEP)?;
        match expr {
            Expr::Null => Ok(Val::Null),
            Expr::Bool(it) => Ok(Val::Bool(*it)),
            Expr::Int(it) => Ok(Val::Int(*it)),
            Expr::Float(it) => Ok(Val::Float(*it)),
            Expr::Text(text) => Ok(Val::Text(Text::Lent(text))),
            Expr::Var(name) => self.variable(name),
            Expr::Chain(base, links) => {
                let base = self.eval(base)?;
                self.links(base, links)
            }
            _ => self.compound(expr),
        }
    }

    fn compound(&mut self, expr: &'a Expr) -> Result<Val<'a>, Trouble> {
        match expr {
            Expr::List(items) => {
                let items = self.all(items)?;
                Val::list(items, self.meter)
            }
            Expr::Map(entries) => self.map(entries),
            Expr::Minus(inner, count) => self.minus(inner, *count),
            Expr::Not(inner, count) => {
                let holds = self.eval(inner)?.is_true()?;
                Ok(Val::Bool(holds == (count % 2 == 0)))
            }
            Expr::Arithmetic(first, rest) => {
                let mut value = self.eval(first)?;
                for (operator, other) in rest {
                    let other = self.eval(other)?;
                    value = operator.apply(&value, &other, self.meter)?;
                }
                Ok(value)
            }
            Expr::Compare(first, rest) => {
                let mut left = self.eval(first)?;
                for (comparison, right) in rest {
                    let right = self.eval(right)?;
                    if !comparison.holds(&left, &right, self.meter)? {
                        return Ok(Val::Bool(false));
                    }
                    left = right;
                }
                Ok(Val::Bool(true))
            }
            Expr::And(all) => self.until(all, false),
            Expr::Or(all) => self.until(all, true),
            Expr::Choice(choices, otherwise) => {
                for (value, when) in choices {
                    if self.eval(when)?.is_true()? {
                        return self.eval(value);
                    }
                }
                match otherwise {
                    Some(otherwise) => self.eval(otherwise),
                    // As in Jinja, `'a' if b` without an else says nothing.
                    None => Ok(Val::text("")),
                }
            }
            Expr::Range(args) => self.range(args),
            Expr::Dict(args) | Expr::Namespace(args) => {
                self.made(args, matches!(expr, Expr::Dict(_)))
            }
            _ => Ok(Val::Undefined),
        }
    }

    fn all(&mut self, exprs: &'a [Expr]) -> Result<Vec<Val<'a>>, Trouble> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    /// The first value that is true, or is not; else the last.
    fn until(&mut self, all: &'a [Expr], wanted: bool) -> Result<Val<'a>, Trouble> {
        let mut value = Val::Undefined;
        for expr in all {
            value = self.eval(expr)?;
            if value.is_true()? == wanted {
                break;
            }
        }
        Ok(value)
    }

    fn map(&mut self, entries: &'a [(Expr, Expr)]) -> Result<Val<'a>, Trouble> {
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            let key = self.eval(key)?.printed(self.meter)?;
            map.insert(key, self.eval(value)?);
        }
        Val::map(map, self.meter)
    }

    fn minus(&mut self, inner: &'a Expr, count: usize) -> Result<Val<'a>, Trouble> {
        let value = self.eval(inner)?;
        match value {
            Val::Undefined => Err(Trouble::Undefined),
            Val::Int(it) if count % 2 == 1 => it
                .checked_neg()
                .map(Val::Int)
                .ok_or_else(|| Trouble::failed("the number is too large")),
            Val::Float(it) if count % 2 == 1 => Ok(Val::Float(-it)),
            Val::Int(_) | Val::Float(_) => Ok(value),
            _ => Err(Trouble::failed(format!(
                "'-' does not work on {}",
                value.kind()
            ))),
        }
    }

    fn given(&mut self, args: &'a Args) -> Result<Given<'a>, Trouble> {
        let positional = self.all(&args.positional)?;
        let mut named = Vec::new();
        for (name, expr) in &args.named {
            named.push((&**name, self.eval(expr)?));
        }
        Ok(Given { positional, named })
    }

    fn range(&mut self, args: &'a Args) -> Result<Val<'a>, Trouble> {
        let given = self.given(args)?;
        let mut numbers = Vec::new();
        for value in &given.positional {
            let number = value.as_int().and_then(|it| i64::try_from(it).ok());
            let number = number.ok_or_else(|| Trouble::failed("'range' takes whole numbers"));
            numbers.push(i128::from(number?));
        }
        let (from, to, step) = match numbers[..] {
            [to] => (0, to, 1),
            [from, to] => (from, to, 1),
            [from, to, step] if step != 0 => (from, to, step),
            _ => {
                return Err(Trouble::failed(
                    "'range' takes one to three numbers, the step not 0",
                ));
            }
        };
        let distance = if step > 0 { to - from } else { from - to };
        let count = (distance.max(0) + step.abs() - 1) / step.abs();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.meter.pay_each(count, ITEM)?;
        let items = (0..count as i128).map(|index| Val::Int(from + index * step));
        Val::list(items.collect(), self.meter)
    }

    /// `dict(...)` and `namespace(...)`: entries of a map, if one is given, and named ones.
    fn made(&mut self, args: &'a Args, dict: bool) -> Result<Val<'a>, Trouble> {
        let given = self.given(args)?;
        let mut entries = BTreeMap::new();
        if let Some(Val::Map(map)) = given.positional.first() {
            self.meter.pay_each(map.len(), 3 * ITEM)?;
            entries.extend(map.entries());
        }
        for (name, value) in given.named {
            self.meter.pay(2 * ITEM)?;
            entries.insert(Text::Lent(name), value);
        }
        if dict {
            return Val::map(entries, self.meter);
        }
        self.meter.pay(4 * ITEM)?;
        let lent = entries.into_iter().map(|(key, value)| match key {
            Text::Lent(key) => Ok((key, value)),
            Text::Own(_) => Err(Trouble::failed(
                "a namespace takes the names that the template writes",
            )),
        });
        let lent = lent.collect::<Result<_, _>>()?;
        self.namespaces.push(lent);
        Ok(Val::Namespace(self.namespaces.len() - 1))
    }

    // ---- chains

    fn links(&mut self, mut value: Val<'a>, links: &'a [Link]) -> Result<Val<'a>, Trouble> {
        for link in links {
            self.meter.pay(STEP)?;
            value = match link {
                Link::Attr(name) => self.attribute(&value, name)?,
                Link::Item(expr) => {
                    let key = self.eval(expr)?;
                    match (&value, &key) {
                        (Val::Undefined, _) | (_, Val::Undefined) => {
                            return Err(Trouble::Undefined);
                        }
                        (Val::Text(_), _) => self.slice(&value, key.as_int(), None, None, true)?,
                        _ => member(&value, &key),
                    }
                }
                Link::Slice(parts) => {
                    let mut numbers = [None; 3];
                    for (number, part) in numbers.iter_mut().zip(parts.iter()) {
                        if let Some(part) = part {
                            *number = self.eval(part)?.as_int();
                        }
                    }
                    let [from, to, step] = numbers;
                    self.slice(&value, from, to, step, false)?
                }
                Link::Filter(filter, args) => {
                    let given = self.given(args)?;
                    filter.apply(&value, &given, self.meter)?
                }
                Link::Test(test, args, negated) => {
                    let given = self.given(args)?;
                    let holds = test.holds(&value, &given, self.meter)?;
                    Val::Bool(holds != *negated)
                }
                Link::Cycle(args) => {
                    let Val::Loop { index, .. } = value else {
                        return Err(Trouble::failed("only a loop has 'cycle'"));
                    };
                    let mut all = self.given(args)?.positional;
                    if all.is_empty() {
                        return Err(Trouble::failed("'cycle' needs values"));
                    }
                    let at = index % all.len();
                    all.swap_remove(at)
                }
            };
        }
        Ok(value)
    }

    fn attribute(&mut self, value: &Val<'a>, name: &str) -> Result<Val<'a>, Trouble> {
        let whole = |number: usize| Val::Int(number as i128);
        Ok(match value {
            Val::Undefined => return Err(Trouble::Undefined),
            Val::Map(entries) => entries.get(name).unwrap_or(Val::Undefined),
            Val::Namespace(index) => self.namespaces[*index]
                .get(name)
                .cloned()
                .unwrap_or(Val::Undefined),
            Val::Loop { index, len, depth } => match name {
                "index" => whole(index + 1),
                "index0" => whole(*index),
                "revindex" => whole(len - index),
                "revindex0" => whole(len - index - 1),
                "first" => Val::Bool(*index == 0),
                "last" => Val::Bool(index + 1 == *len),
                "length" => whole(*len),
                "depth" => whole(*depth),
                "depth0" => whole(depth - 1),
                _ => Val::Undefined,
            },
            _ => Val::Undefined,
        })
    }

    /// A part of a text or a list; `one` takes the one at `from`.
    fn slice(
        &mut self,
        value: &Val<'a>,
        from: Option<i128>,
        to: Option<i128>,
        step: Option<i128>,
        one: bool,
    ) -> Result<Val<'a>, Trouble> {
        let step = match step {
            None => 1,
            Some(step) => usize::try_from(step)
                .ok()
                .filter(|step| *step > 0)
                .ok_or_else(|| Trouble::failed("a slice takes a positive step"))?,
        };
        let len = match value {
            Val::Text(text) => {
                self.meter.pay_each(text.as_str().len(), 3)?;
                text.as_str().chars().count()
            }
            Val::List(items) => {
                self.meter.pay_each(items.len(), ITEM)?;
                items.len()
            }
            Val::Undefined => return Err(Trouble::Undefined),
            _ => {
                return Err(Trouble::failed(format!(
                    "{} cannot be sliced",
                    value.kind()
                )));
            }
        };
        let place = |at: i128| {
            let at = if at < 0 {
                at.saturating_add(len as i128).max(0)
            } else {
                at
            };
            usize::try_from(at).unwrap_or(len).min(len)
        };
        let start = place(from.unwrap_or(0));
        let end = if one {
            start + 1
        } else {
            place(to.unwrap_or(len as i128))
        };
        if one && (from.is_none() || start >= len) {
            return Ok(Val::Undefined);
        }
        let count = end.saturating_sub(start);
        match value {
            Val::Text(text) => {
                let chars = text.as_str().chars().skip(start).take(count).step_by(step);
                Ok(Val::text(chars.collect::<String>()))
            }
            Val::List(items) => {
                let items = items.iter().skip(start).take(count).step_by(step);
                Val::list(items.collect(), self.meter)
            }
            _ => Ok(Val::Undefined),
        }
    }
}
