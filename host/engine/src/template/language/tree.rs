//! A template after parsing.

use super::filters::Filter;
use super::operators::{Arithmetic, Comparison};
use super::tests::Test;
use std::collections::BTreeSet;

/// A part of a template.
#[derive(Debug)]
pub(in crate::template) enum Node {
    Text(Box<str>),
    Emit(Expr),
    If {
        branches: Vec<(Expr, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    For {
        names: Vec<Box<str>>,
        over: Expr,
        only: Option<Expr>,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Set(Target, Expr),
    SetBlock {
        target: Target,
        filters: Vec<Link>,
        body: Vec<Node>,
    },
    With(Vec<(Box<str>, Expr)>, Vec<Node>),
    FilterBlock(Vec<Link>, Vec<Node>),
    Do(Expr),
}

/// What a `set` sets.
#[derive(Debug)]
pub(in crate::template) enum Target {
    Names(Vec<Box<str>>),
    /// A member of a namespace.
    Member(Box<str>, Box<str>),
}

/// An expression. Chains are lists, so that a long one is not a deep one.
#[derive(Debug)]
pub(in crate::template) enum Expr {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Box<str>),
    Var(Box<str>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Chain(Box<Expr>, Vec<Link>),
    /// Negated this many times.
    Minus(Box<Expr>, usize),
    Not(Box<Expr>, usize),
    /// From left to right.
    Arithmetic(Box<Expr>, Vec<(Arithmetic, Expr)>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// Values, each with its condition, and the one for none of them.
    Choice(Vec<(Expr, Expr)>, Option<Box<Expr>>),
    Range(Args),
    Dict(Args),
    Namespace(Args),
}

/// A thing done to the value on its left.
#[derive(Debug)]
pub(in crate::template) enum Link {
    Attr(Box<str>),
    Item(Expr),
    Slice(Box<[Option<Expr>; 3]>),
    Filter(Filter, Args),
    Test(Test, Args, bool),
    /// `loop.cycle(...)`.
    Cycle(Args),
}

/// Arguments as written.
#[derive(Debug, Default)]
pub(in crate::template) struct Args {
    pub(super) positional: Vec<Expr>,
    pub(super) named: Vec<(Box<str>, Expr)>,
}

/// The names that a template reads and does not set itself, with the attributes read of them:
/// `context.user.name`.
#[derive(Debug, Default)]
pub(in crate::template) struct Names {
    pub(in crate::template) read: BTreeSet<String>,
    own: BTreeSet<String>,
}

impl Names {
    pub(in crate::template) fn of_nodes(nodes: &[Node]) -> Self {
        let mut names = Self::default();
        names.nodes(nodes);
        names.without_own()
    }

    pub(in crate::template) fn of_expression(expression: &Expr) -> Self {
        let mut names = Self::default();
        names.expr(expression);
        names.without_own()
    }

    fn without_own(mut self) -> Self {
        let own = std::mem::take(&mut self.own);
        self.read
            .retain(|name| !own.contains(name.split('.').next().unwrap_or(name)));
        self
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(_) => {}
            Node::Emit(expr) | Node::Do(expr) => self.expr(expr),
            Node::If {
                branches,
                otherwise,
            } => {
                for (when, body) in branches {
                    self.expr(when);
                    self.nodes(body);
                }
                self.nodes(otherwise);
            }
            Node::For {
                names,
                over,
                only,
                body,
                otherwise,
            } => {
                self.own.insert("loop".to_owned());
                self.own.extend(names.iter().map(ToString::to_string));
                self.expr(over);
                only.iter().for_each(|only| self.expr(only));
                self.nodes(body);
                self.nodes(otherwise);
            }
            Node::Set(target, expr) => {
                self.target(target);
                self.expr(expr);
            }
            Node::SetBlock {
                target,
                filters,
                body,
            } => {
                self.target(target);
                self.links(filters);
                self.nodes(body);
            }
            Node::With(values, body) => {
                for (name, value) in values {
                    self.own.insert(name.to_string());
                    self.expr(value);
                }
                self.nodes(body);
            }
            Node::FilterBlock(filters, body) => {
                self.links(filters);
                self.nodes(body);
            }
        }
    }

    fn target(&mut self, target: &Target) {
        if let Target::Names(names) = target {
            self.own.extend(names.iter().map(ToString::to_string));
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Text(_) => {}
            Expr::Var(name) => {
                self.read.insert(name.to_string());
            }
            Expr::List(items) | Expr::And(items) | Expr::Or(items) => {
                items.iter().for_each(|item| self.expr(item));
            }
            Expr::Map(entries) | Expr::Choice(entries, None) => self.pairs(entries),
            Expr::Choice(entries, Some(otherwise)) => {
                self.pairs(entries);
                self.expr(otherwise);
            }
            Expr::Chain(base, links) => self.chain(base, links),
            Expr::Minus(inner, _) | Expr::Not(inner, _) => self.expr(inner),
            Expr::Arithmetic(first, rest) => {
                self.expr(first);
                rest.iter().for_each(|(_, it)| self.expr(it));
            }
            Expr::Compare(first, rest) => {
                self.expr(first);
                rest.iter().for_each(|(_, it)| self.expr(it));
            }
            Expr::Range(args) | Expr::Dict(args) | Expr::Namespace(args) => self.args(args),
        }
    }

    fn pairs(&mut self, pairs: &[(Expr, Expr)]) {
        for (one, other) in pairs {
            self.expr(one);
            self.expr(other);
        }
    }

    fn chain(&mut self, base: &Expr, links: &[Link]) {
        if let Expr::Var(name) = base {
            let mut path = name.to_string();
            for link in links {
                match link {
                    Link::Attr(name) | Link::Item(Expr::Text(name)) => {
                        path.push('.');
                        path.push_str(name);
                    }
                    _ => break,
                }
            }
            self.read.insert(path);
        } else {
            self.expr(base);
        }
        self.links(links);
    }

    fn links(&mut self, links: &[Link]) {
        for link in links {
            match link {
                Link::Attr(_) => {}
                Link::Item(expr) => self.expr(expr),
                Link::Slice(parts) => parts.iter().flatten().for_each(|it| self.expr(it)),
                Link::Filter(_, args) | Link::Test(_, args, _) | Link::Cycle(args) => {
                    self.args(args);
                }
            }
        }
    }

    fn args(&mut self, args: &Args) {
        args.positional.iter().for_each(|it| self.expr(it));
        args.named.iter().for_each(|(_, it)| self.expr(it));
    }
}
