//! JavaScript expressions as templates of a node's config.

use serde_json::{Number, Value as Json};
use std::cell::Cell;
use std::collections::HashMap;
use tree_sitter::Node;

/// How many expressions of one script are looked at. Variables that lead to each other could go on for ever.
const BUDGET: usize = 10_000;
/// How deep they may be nested.
const DEPTH: usize = 64;

/// What an expression becomes.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// JSON; its texts are templates.
    pub(crate) template: Json,
    /// Members of the context that it reads, in order.
    pub(crate) reads: Vec<String>,
    /// What it is, if it is a text without anything to fill in.
    literal: Option<String>,
}

impl Value {
    /// The text, if it is one that the script holds.
    pub(crate) fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    /// The member of the context that it is, and nothing else.
    pub(crate) fn reference(&self) -> Option<&str> {
        let [key] = self.reads.as_slice() else {
            return None;
        };
        (self.template.as_str() == Some(&reference_to(key))).then_some(key)
    }

    fn fixed(json: Json) -> Self {
        Self {
            template: json,
            reads: Vec::new(),
            literal: None,
        }
    }

    fn text(text: String) -> Self {
        Self {
            template: escaped(&text).into(),
            reads: Vec::new(),
            literal: Some(text),
        }
    }

    fn member(key: String) -> Self {
        Self {
            template: reference_to(&key).into(),
            reads: vec![key],
            literal: None,
        }
    }

    /// Its text as a part of a longer one.
    fn part(&self) -> Option<String> {
        match &self.template {
            Json::String(text) => Some(text.clone()),
            Json::Number(_) | Json::Bool(_) => Some(self.template.to_string()),
            _ => None,
        }
    }
}

/// An expression that only running the script would tell.
#[derive(Debug)]
pub(crate) struct Unknown<'t>(pub(crate) Node<'t>);

/// A member of an object.
pub(crate) struct Member<'t> {
    /// None if it is computed.
    pub(crate) name: Option<String>,
    pub(crate) value: Node<'t>,
    /// Whether it is set under a condition.
    pub(crate) conditional: bool,
}

/// The expressions of a script.
pub(crate) struct Expressions<'s, 't> {
    text: &'s str,
    /// What variables begin with; a variable that is declared twice is not known.
    variables: HashMap<&'s str, Option<Node<'t>>>,
    /// `name.member = value`, in order.
    assignments: Vec<Assignment<'s, 't>>,
    /// What else is done to a variable that may be an object: it is given to a function, or a member of it is
    /// deleted or added to.
    touches: Vec<(&'s str, Node<'t>)>,
    budget: Cell<usize>,
}

struct Assignment<'s, 't> {
    variable: &'s str,
    /// `member`, `"member"` or something computed.
    member: Node<'t>,
    value: Node<'t>,
    /// The assignment itself.
    whole: Node<'t>,
}

impl<'s, 't> Expressions<'s, 't> {
    pub(crate) fn new(text: &'s str, nodes: &[Node<'t>]) -> Self {
        let mut all = Self {
            text,
            variables: HashMap::new(),
            assignments: Vec::new(),
            touches: Vec::new(),
            budget: Cell::new(BUDGET),
        };
        for node in nodes {
            match node.kind() {
                "variable_declarator" => all.declared(*node),
                "assignment_expression" => all.assigned(*node),
                "augmented_assignment_expression" | "update_expression" | "unary_expression" => {
                    all.changed(*node);
                }
                "call_expression" => all.called(*node),
                _ => {}
            }
        }
        all
    }

    fn declared(&mut self, node: Node<'t>) {
        let name = node.child_by_field_name("name");
        let value = node.child_by_field_name("value");
        if let (Some(name), Some(value)) = (name, value) {
            self.set(self.text_of(name), value);
        }
    }

    fn assigned(&mut self, node: Node<'t>) {
        let left = node.child_by_field_name("left");
        let right = node.child_by_field_name("right");
        let (Some(left), Some(value)) = (left, right) else {
            return;
        };
        if left.kind() == "identifier" {
            self.set(self.text_of(left), value);
            return;
        }
        let variable = left.child_by_field_name("object");
        let member = left
            .child_by_field_name("property")
            .or_else(|| left.child_by_field_name("index"));
        if let (Some(variable), Some(member)) = (variable, member)
            && variable.kind() == "identifier"
        {
            self.assignments.push(Assignment {
                variable: self.text_of(variable),
                member,
                value,
                whole: node,
            });
        }
    }

    /// `name += …`, `name++`: the variable is not what it began with. `delete name.member`: its members are
    /// not.
    fn changed(&mut self, node: Node<'t>) {
        let is_delete = || {
            let operator = node.child_by_field_name("operator");
            operator.is_some_and(|it| self.text_of(it) == "delete")
        };
        if node.kind() == "unary_expression" && !is_delete() {
            return;
        }
        let of = node
            .child_by_field_name("left")
            .or_else(|| node.child_by_field_name("argument"));
        match of {
            Some(of) if of.kind() == "identifier" => {
                self.variables.insert(self.text_of(of), None);
            }
            Some(of) => {
                let object = of.child_by_field_name("object");
                let object = object.filter(|it| it.kind() == "identifier");
                self.touches
                    .extend(object.map(|it| (self.text_of(it), node)));
            }
            None => {}
        }
    }

    /// A call that gets variables and may change what they hold.
    fn called(&mut self, node: Node<'t>) {
        let function = node.child_by_field_name("function");
        let path = function.and_then(|it| self.path(it)).unwrap_or_default();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if let ["JSON", "stringify"]
        | ["agentUtils", "setMetaInfo"]
        | ["console" | "koreDebugger", _] = path.as_slice()
        {
            return;
        }
        let Some(arguments) = node.child_by_field_name("arguments") else {
            return;
        };
        for argument in children(arguments) {
            if argument.kind() == "identifier" {
                self.touches.push((self.text_of(argument), node));
            }
        }
    }

    fn set(&mut self, name: &'s str, value: Node<'t>) {
        self.variables
            .entry(name)
            .and_modify(|known| *known = None)
            .or_insert(Some(value));
    }

    fn text_of(&self, node: Node<'_>) -> &'s str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// The arguments of a call of this function; none if it is anything else.
    pub(crate) fn arguments_of(&self, node: Node<'t>, function: &[&str]) -> Option<Vec<Node<'t>>> {
        if node.kind() != "call_expression" {
            return None;
        }
        let path = self.path(node.child_by_field_name("function")?)?;
        let arguments = node.child_by_field_name("arguments")?;
        (path == function && arguments.kind() == "arguments").then(|| children(arguments))
    }

    /// `a.b["c"]` as its names.
    fn path(&self, node: Node<'t>) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let mut at = node;
        loop {
            match at.kind() {
                "identifier" => {
                    names.push(self.text_of(at).to_owned());
                    names.reverse();
                    return Some(names);
                }
                "member_expression" => {
                    let name = at.child_by_field_name("property")?;
                    names.push(self.text_of(name).to_owned());
                }
                "subscript_expression" => {
                    names.push(self.string(at.child_by_field_name("index")?)?);
                }
                _ => return None,
            }
            at = at.child_by_field_name("object")?;
        }
    }

    /// The members of an object, also of `JSON.stringify` of one, and of a variable that is one, with what
    /// is set to it before a place in the script.
    pub(crate) fn members(&self, node: Node<'t>, before: usize) -> Option<Vec<Member<'t>>> {
        let mut at = node;
        for _ in 0..DEPTH {
            match at.kind() {
                "object" => return Some(self.members_of(at)),
                "parenthesized_expression" => at = *children(at).first()?,
                "identifier" => {
                    let name = self.text_of(at);
                    let begins = (*self.variables.get(name)?)?;
                    let mut members = self.members(begins, before)?;
                    members.extend(self.set_later(name, before));
                    return Some(members);
                }
                _ => {
                    let arguments = self.arguments_of(at, &["JSON", "stringify"])?;
                    at = *arguments.first()?;
                }
            }
        }
        None
    }

    /// What is done, before a place in the script, to the variable that metadata is taken from.
    pub(crate) fn touches(&self, data: Node<'t>, before: usize) -> Vec<Node<'t>> {
        let argument = self
            .arguments_of(data, &["JSON", "stringify"])
            .and_then(|arguments| arguments.first().copied());
        let name = argument.unwrap_or(data);
        if name.kind() != "identifier" {
            return Vec::new();
        }
        let touches = self.touches.iter();
        touches
            .filter(|(it, node)| *it == self.text_of(name) && node.start_byte() < before)
            .map(|(_, node)| *node)
            .collect()
    }

    fn members_of(&self, object: Node<'t>) -> Vec<Member<'t>> {
        let mut members = Vec::new();
        for child in children(object) {
            let (name, value) = match child.kind() {
                "pair" => {
                    let key = child.child_by_field_name("key");
                    let value = child.child_by_field_name("value").unwrap_or(child);
                    (key.and_then(|key| self.name(key)), value)
                }
                "shorthand_property_identifier" => (Some(self.text_of(child).to_owned()), child),
                "comment" => continue,
                // A spread, a method.
                _ => (None, child),
            };
            members.push(Member {
                name,
                value,
                conditional: false,
            });
        }
        members
    }

    fn set_later(&self, variable: &str, before: usize) -> impl Iterator<Item = Member<'t>> {
        let set = self.assignments.iter();
        set.filter(move |it| it.variable == variable && it.whole.start_byte() < before)
            .map(|it| Member {
                name: self.name(it.member),
                value: it.value,
                conditional: self.is_conditional(it.whole),
            })
    }

    /// Whether something is done only sometimes.
    pub(crate) fn is_conditional(&self, node: Node<'t>) -> bool {
        let mut at = node.parent();
        while let Some(parent) = at {
            match parent.kind() {
                "if_statement" | "ternary_expression" | "switch_case" | "switch_default"
                | "catch_clause" | "while_statement" | "for_statement" | "for_in_statement" => {
                    return true;
                }
                _ => at = parent.parent(),
            }
        }
        false
    }

    /// The name of a member.
    fn name(&self, node: Node<'t>) -> Option<String> {
        match node.kind() {
            "property_identifier" | "number" => Some(self.text_of(node).to_owned()),
            _ => self.string(node),
        }
    }

    /// A text that stands in the script.
    fn string(&self, node: Node<'t>) -> Option<String> {
        if node.kind() != "string" {
            return None;
        }
        let mut text = String::new();
        for part in children(node) {
            match part.kind() {
                "string_fragment" => text.push_str(self.text_of(part)),
                "escape_sequence" => text.push_str(&unescaped(self.text_of(part))?),
                _ => {}
            }
        }
        Some(text)
    }

    /// What an expression becomes, or the part of it that stands in the way.
    pub(crate) fn value(&self, node: Node<'t>) -> Result<Value, Unknown<'t>> {
        self.nested(node, DEPTH)
    }

    fn nested(&self, node: Node<'t>, depth: usize) -> Result<Value, Unknown<'t>> {
        let unknown = || Unknown(node);
        let left = self.budget.get();
        let depth = depth.checked_sub(1).ok_or_else(unknown)?;
        self.budget.set(left.checked_sub(1).ok_or_else(unknown)?);
        match node.kind() {
            "string" => Ok(Value::text(self.string(node).ok_or_else(unknown)?)),
            "number" => Ok(Value::fixed(
                number(self.text_of(node)).ok_or_else(unknown)?,
            )),
            "true" => Ok(Value::fixed(true.into())),
            "false" => Ok(Value::fixed(false.into())),
            "null" => Ok(Value::fixed(Json::Null)),
            "template_string" => {
                let parts = children(node).into_iter().map(|part| match part.kind() {
                    "string_fragment" => Ok(Value::text(self.text_of(part).to_owned())),
                    "template_substitution" => {
                        let inner = children(part);
                        let inner = *inner.first().ok_or(Unknown(part))?;
                        self.nested(inner, depth)
                    }
                    _ => {
                        let text = unescaped(self.text_of(part)).ok_or(Unknown(part))?;
                        Ok(Value::text(text))
                    }
                });
                joined(parts.collect::<Result<_, _>>()?).ok_or_else(unknown)
            }
            "parenthesized_expression" => {
                let inner = children(node);
                self.nested(*inner.first().ok_or_else(unknown)?, depth)
            }
            "array" => {
                let mut list = Value::fixed(Json::Null);
                let mut items = Vec::new();
                for item in children(node) {
                    let item = self.nested(item, depth)?;
                    items.push(item.template);
                    list.reads.extend(item.reads);
                }
                list.template = items.into();
                Ok(list)
            }
            "object" => {
                let mut object = Value::fixed(Json::Null);
                let mut members = serde_json::Map::new();
                for member in self.members_of(node) {
                    let name = member.name.ok_or(Unknown(member.value))?;
                    let value = self.nested(member.value, depth)?;
                    members.insert(name, value.template);
                    object.reads.extend(value.reads);
                }
                object.template = members.into();
                Ok(object)
            }
            "binary_expression" => self.binary(node, depth),
            "call_expression" => {
                let argument = ["String"].as_slice();
                let arguments = self
                    .arguments_of(node, argument)
                    .or_else(|| self.arguments_of(node, &["JSON", "stringify"]));
                match arguments.as_deref() {
                    Some([only]) => self.nested(*only, depth),
                    _ => self.nested(self.as_text(node).ok_or_else(unknown)?, depth),
                }
            }
            "identifier" | "shorthand_property_identifier" => {
                let begins = self.variables.get(self.text_of(node)).copied().flatten();
                self.nested(begins.ok_or_else(unknown)?, depth)
            }
            "member_expression" | "subscript_expression" => {
                let path = self.path(node).ok_or_else(unknown)?;
                context_key(&path).map(Value::member).ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }

    /// What `x.toString()` and `x.trim()` are called on.
    fn as_text(&self, call: Node<'t>) -> Option<Node<'t>> {
        let function = call.child_by_field_name("function")?;
        let property = function.child_by_field_name("property")?;
        let plain = ["toString", "trim"].contains(&self.text_of(property));
        plain.then(|| function.child_by_field_name("object"))?
    }

    /// `a + b`, `a || "otherwise"`, `a ?? "otherwise"`.
    fn binary(&self, node: Node<'t>, depth: usize) -> Result<Value, Unknown<'t>> {
        let unknown = || Unknown(node);
        let side = |name| node.child_by_field_name(name).ok_or_else(unknown);
        let (left, right) = (side("left")?, side("right")?);
        let operator = self.text_of(side("operator")?);
        let (left, right) = (self.nested(left, depth)?, self.nested(right, depth)?);
        match operator {
            "+" => {
                // Of two numbers it is their sum.
                let text = left.template.is_string() || right.template.is_string();
                let both = text.then(|| joined(vec![left, right])).flatten();
                both.ok_or_else(unknown)
            }
            "||" | "??" => {
                let key = left.reference().ok_or_else(unknown)?;
                let otherwise = match right.literal() {
                    Some(text) => Json::from(text),
                    None if right.template.is_number() || right.template.is_boolean() => {
                        right.template
                    }
                    None => return Err(unknown()),
                };
                // '||' takes the other one for an empty text too.
                let lenient = if operator == "||" { ", true" } else { "" };
                Ok(Value {
                    template: format!("{{{{ context.{key} | default({otherwise}{lenient}) }}}}")
                        .into(),
                    reads: left.reads.clone(),
                    literal: None,
                })
            }
            _ => Err(unknown()),
        }
    }
}

/// One text of several.
fn joined(parts: Vec<Value>) -> Option<Value> {
    let mut whole = Value::text(String::new());
    let mut template = String::new();
    for part in parts {
        template.push_str(&part.part()?);
        whole.reads.extend(part.reads.clone());
        whole.literal = match (whole.literal, part.literal()) {
            (Some(text), Some(more)) => Some(text + more),
            _ => None,
        };
    }
    whole.template = template.into();
    Some(whole)
}

fn reference_to(key: &str) -> String {
    format!("{{{{ context.{key} }}}}")
}

/// A text that means itself in a template.
fn escaped(text: &str) -> String {
    if ["{{", "{%", "{#"].iter().any(|sign| text.contains(sign)) {
        format!("{{{{ {} }}}}", Json::from(text))
    } else {
        text.to_owned()
    }
}

/// The key here of a member of Kore.ai's context: `context.entities.EmployeeID` is `EmployeeID`, and
/// `context.session.BotUserSession.tier` is `tier`.
fn context_key(path: &[String]) -> Option<String> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let names = match path.as_slice() {
        ["context", "entities", names @ ..] | ["context", "session", _, names @ ..] => names,
        ["context", names @ ..] => names,
        _ => return None,
    };
    let key = names.join("_");
    let mut letters = key.chars();
    let begins = letters.next()?;
    let plain = |it: char| it.is_ascii_alphanumeric() || it == '_';
    ((begins.is_ascii_alphabetic() || begins == '_') && letters.all(plain)).then_some(key)
}

/// A number as JSON has it.
fn number(text: &str) -> Option<Json> {
    let number: Number = text.parse().ok()?;
    Some(number.into())
}

/// The character of an escape such as `\n`; none for those that are rare.
fn unescaped(escape: &str) -> Option<String> {
    let behind = escape.strip_prefix('\\')?;
    let text = match behind {
        "n" => "\n",
        "t" => "\t",
        "r" => "\r",
        "b" => "\u{8}",
        "f" => "\u{c}",
        "\n" => "",
        _ => {
            let code = behind.strip_prefix(['u', 'x']);
            let Some(code) = code else {
                return Some(behind.to_owned());
            };
            let code = u32::from_str_radix(code.trim_matches(['{', '}']), 16).ok()?;
            return char::from_u32(code).map(String::from);
        }
    };
    Some(text.to_owned())
}

/// The named children of a node, without comments.
fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    let all = node.named_children(&mut cursor);
    all.filter(|it| it.kind() != "comment").collect()
}
