//! `README.md` of an imported project: for whoever opens it next week.

use crate::ImportedFile;
use handoff_engine::diagnostic::Diagnostic;
use std::fmt::Write as _;

/// Says where a project came from, what was carried over, what remains to do, and what was not carried over.
pub(crate) fn readme(
    title: &str,
    system: &str,
    carried: &[(String, String)],
    to_do: &[String],
    notes: &[Diagnostic],
) -> ImportedFile {
    let mut text = format!("# {title}\n\nImported from {system}.\n");
    // Writing to a String does not fail.
    let _ = writeln!(text, "\n| {system} | Here |\n|---|---|");
    for (there, here) in carried {
        let _ = writeln!(text, "| {} | {} |", cell(there), cell(here));
    }
    text.push_str("\n## To do\n\n");
    for item in to_do {
        let _ = writeln!(text, "- {item}");
    }
    text.push_str("\n## Not carried over\n\n");
    if notes.is_empty() {
        text.push_str("Everything was.\n");
    }
    for note in notes {
        let help = note.help.iter().map(|help| format!(" ({help})"));
        let help: String = help.collect();
        let _ = writeln!(text, "- `{}`: {}{help}", note.place, note.message);
    }
    ImportedFile {
        path: "README.md".to_owned(),
        text,
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
