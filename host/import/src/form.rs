//! Settings as people copy them from a form: labels and values, in TOML or JSON.
//!
//! Neither Kore.ai nor Dydu writes such settings to a file, so they are written down by hand, by the labels
//! of the form. Case, spaces and punctuation of a label do not count.

use crate::{ImportError, Source};
use handoff_engine::account::{REGIONS, region_of};
use handoff_engine::diagnostic::{Diagnostic, Place, did_you_mean, name_list};
use handoff_engine::source::{Document, Part, pointer};
use serde_json::Value;

/// A form that was filled in.
#[derive(Debug)]
pub(crate) struct Form {
    document: Document,
    value: Value,
}

/// A label, and other ways to write it.
pub(crate) type Label = &'static [&'static str];

impl Form {
    pub(crate) fn read(source: &Source) -> Result<Self, ImportError> {
        let document = Document::parse(&source.file, &source.text)?;
        let value = document.value();
        if value.is_object() {
            return Ok(Self { document, value });
        }
        let place = document.place("");
        Err(
            Diagnostic::error("import.no_form", place, "these are no labels and values")
                .help("write one line for each field of the form: \"Client ID\" = \"…\"")
                .into(),
        )
    }

    /// The text under a label; none if it is blank or not there.
    pub(crate) fn text(&self, label: Label) -> Option<&str> {
        let (_, value) = self.field(label)?;
        value
            .as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// The same, or a mistake.
    pub(crate) fn required(&self, label: Label) -> Result<&str, ImportError> {
        self.text(label).ok_or_else(|| {
            let name = label.first().copied().unwrap_or_default();
            let (at, wrong) = match self.field(label) {
                Some((name, value)) => (pointer("", name), !value.is_string()),
                None => (String::new(), false),
            };
            let message = if wrong {
                format!("'{name}' is to be a text")
            } else {
                format!("the settings have no '{name}'")
            };
            let written = self.value.as_object().into_iter().flat_map(|it| it.keys());
            let help = written
                .map(String::as_str)
                .find(|it| !is(label, it) && did_you_mean(it, [name]).is_some())
                .map_or_else(
                    || format!("copy it from the form: \"{name}\" = \"…\""),
                    |near| format!("you wrote '{near}'; write '{name}'"),
                );
            Diagnostic::error("import.missing_setting", self.document.place(&at), message)
                .help(help)
                .into()
        })
    }

    /// The region of Genesys Cloud that the address under a label is in, or a mistake.
    pub(crate) fn region(&self, label: Label) -> Result<&str, ImportError> {
        let address = self.required(label)?;
        region_of(address).ok_or_else(|| {
            let message = format!("'{address}' is in no region of Genesys Cloud");
            let help = format!(
                "write for example https://login.mypurecloud.com; the regions are {}",
                name_list(REGIONS)
            );
            Diagnostic::error("import.no_region", self.place(label), message)
                .help(help)
                .into()
        })
    }

    /// The file. A message about a secret is about it, so that no line of it is shown.
    pub(crate) fn file(&self) -> Place {
        Place::file(self.document.file())
    }

    /// Where a label's value stands.
    pub(crate) fn place(&self, label: Label) -> Place {
        let at = self.field(label).map(|(name, _)| pointer("", name));
        self.document.place(&at.unwrap_or_default())
    }

    /// Names and texts of the table under a label, in the order of the names, each with its place.
    pub(crate) fn table(&self, label: Label) -> Result<Vec<(String, String, Place)>, ImportError> {
        let Some((name, value)) = self.field(label) else {
            return Ok(Vec::new());
        };
        let at = pointer("", name);
        let no_table = |place| -> ImportError {
            Diagnostic::error(
                "import.no_table",
                place,
                format!("'{name}' is to be a table of names and texts"),
            )
            .help(format!(
                "write [\"{name}\"] and below it one line for each: name = \"text\""
            ))
            .into()
        };
        let Value::Object(rows) = value else {
            return Err(no_table(self.document.place(&at)));
        };
        let mut found = Vec::new();
        for (row, value) in rows {
            let place = self.document.place(&pointer(&at, row));
            match value {
                Value::String(text) => found.push((row.clone(), text.trim().to_owned(), place)),
                Value::Null => found.push((row.clone(), String::new(), place)),
                _ => return Err(no_table(place)),
            }
        }
        Ok(found)
    }

    /// A note for each label that is none of these.
    pub(crate) fn unknown(&self, known: &[Label]) -> Vec<Diagnostic> {
        let first = || known.iter().filter_map(|label| label.first().copied());
        let names = self.value.as_object().into_iter().flat_map(|it| it.keys());
        names
            .filter(|name| !known.iter().any(|label| is(label, name)))
            .map(|name| {
                let place = self.document.place_of(&pointer("", name), Part::Key);
                let message =
                    format!("'{name}' was left out: it is no setting that means something here");
                let help = did_you_mean(name, first())
                    .unwrap_or_else(|| format!("the settings are {}", name_list(first())));
                Diagnostic::warning("import.unknown_setting", place, message).help(help)
            })
            .collect()
    }

    fn field(&self, label: Label) -> Option<(&str, &Value)> {
        let fields = self.value.as_object()?;
        fields
            .iter()
            .find(|(name, _)| is(label, name))
            .map(|(name, value)| (name.as_str(), value))
    }
}

/// Whether a name is one of a label's.
pub(crate) fn is(label: Label, name: &str) -> bool {
    let name = letters(name);
    label.iter().any(|it| letters(it) == name)
}

/// What of a label counts.
fn letters(label: &str) -> String {
    let letters = label.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
