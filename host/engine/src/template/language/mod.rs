//! The template language: a subset of Jinja2 that can neither overflow the stack nor outgrow its budget.
//!
//! Templates come with a project, and what they work on comes from users, so neither is trusted. No
//! general template engine bounds memory: most bound instructions, and one instruction can double a
//! text or pad it to a gigabyte. This one holds three rules, each kept in one place, and so holds for
//! expressions that nobody has thought of:
//!
//! * **Depth.** Chains (`a.b.c`, `a ~ b ~ c`, `not not`, `x|f|g`, `elif`) are lists in the syntax tree;
//!   only brackets and blocks nest, and [`parser`] counts them. No input recurses deeper than
//!   [`parser::MAX_DEPTH`].
//! * **Work.** Every evaluation, every byte that is built and every value that is walked is paid for
//!   from one [`meter::Meter`] *before* it happens. Nothing is ever paid back, so what is alive at any
//!   time is at most the budget.
//! * **Size.** A list or a map knows its size when written out, shared parts counted each time, and its
//!   depth. [`value::Val`] refuses to build one that is too large or too deep, so printing, comparing
//!   and dropping any value that exists is bounded.
//!
//! Values of the scope are borrowed: a plain look-up copies nothing but the text that it gives.

mod filters;
mod lexer;
mod meter;
mod operators;
mod parser;
mod printf;
mod render;
mod tests;
mod tree;
mod value;

pub(super) use meter::{Meter, Trouble};
pub(super) use parser::{FUNCTIONS, parse_expression, parse_template};
pub(super) use render::Render;
pub(super) use tree::{Expr, Names, Node};
