//! `project.toml` of an imported project.

use crate::ImportedFile;
use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, value};

/// A `project.toml` that grows.
#[derive(Debug)]
pub(crate) struct Manifest {
    document: DocumentMut,
}

impl Manifest {
    pub(crate) fn new(name: &str, start: &str) -> Self {
        let mut document = DocumentMut::new();
        document["name"] = value(name);
        document["start"] = value(start);
        document["inactivity"] = value("30m");
        Self { document }
    }

    pub(crate) fn default_account(&mut self, account: &str) {
        self.document["default-account"] = value(account);
    }

    /// A table `[outer.name]`, with a comment over it. Members that are null are left out.
    pub(crate) fn entry(
        &mut self,
        outer: &str,
        name: &str,
        comment: &str,
        members: &[(&str, Value)],
    ) {
        let mut table = table_of(members);
        comment_on(&mut table, comment);
        let outer = self.document.entry(outer).or_insert_with(|| {
            let mut outer = Table::new();
            outer.set_implicit(true);
            Item::Table(outer)
        });
        outer[name] = Item::Table(table);
    }

    /// A table `[name]`, with a comment over it.
    pub(crate) fn section(&mut self, name: &str, comment: &str, members: &[(&str, Value)]) {
        let mut table = table_of(members);
        comment_on(&mut table, comment);
        self.document[name] = Item::Table(table);
    }

    pub(crate) fn file(&self) -> ImportedFile {
        ImportedFile {
            path: "project.toml".to_owned(),
            text: self.document.to_string(),
        }
    }
}

fn table_of(members: &[(&str, Value)]) -> Table {
    let mut table = Table::new();
    for (name, member) in members {
        if !member.is_null() {
            table[name] = value(inline(member));
        }
    }
    table
}

fn comment_on(table: &mut Table, comment: &str) {
    let lines: String = comment.lines().map(|line| format!("# {line}\n")).collect();
    table.decor_mut().set_prefix(format!("\n{lines}"));
}

/// A value on one line. TOML has no null: members of objects that are null are left out.
pub(crate) fn inline(json: &Value) -> toml_edit::Value {
    match json {
        Value::Null => "".into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(real)) => real.into(),
            (None, None) => number.to_string().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(inline).collect::<Array>().into(),
        Value::Object(members) => in_reading_order(members)
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name, inline(member)))
            .collect::<InlineTable>()
            .into(),
    }
}

/// The members of an object as a person would write them: what it is called first, and behind the others what
/// only says more of them.
pub(crate) fn in_reading_order(
    members: &Map<String, Value>,
) -> impl Iterator<Item = (&str, &Value)> {
    let rank = |name: &str| match name {
        "id" | "name" | "agent" => 0,
        "from" | "reason" => 2,
        _ => 1,
    };
    let mut members: Vec<_> = members
        .iter()
        .map(|(name, it)| (name.as_str(), it))
        .collect();
    members.sort_by_key(|(name, _)| rank(name));
    members.into_iter()
}
