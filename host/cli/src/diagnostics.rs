//! Mistakes in files, shown with the lines they are about.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use handoff_engine::diagnostic::{Diagnostic, Severity};
use handoff_engine::display::{block, line};
use handoff_server::read_text_file;
use std::path::Path;

/// Shows a mistake, with the line of the file if it has one. `base` is what the file is relative to.
pub(crate) fn show(diagnostic: &Diagnostic, base: &Path) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let path = base.join(&diagnostic.place.file);
    let file = path.display().to_string();
    let file = line(&file);
    let message = block(&diagnostic.message);
    let help = diagnostic.help.as_deref().map(block);
    let title = level.primary_title(&*message).id(diagnostic.code);
    let text = read_text_file(&path).unwrap_or_default();
    let span = diagnostic.place.span.clone();
    let mut group = if diagnostic.place.line > 0 && span.end <= text.len() {
        // A mistake about a whole table points at its first line.
        let first = text[span.clone()].lines().next().unwrap_or_default().len();
        let annotation = AnnotationKind::Primary.span(span.start..span.start + first);
        title.element(
            Snippet::source(text.as_str())
                .path(&*file)
                .annotation(annotation),
        )
    } else {
        title.element(annotate_snippets::Origin::path(&*file))
    };
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(&**help));
    }
    Renderer::styled().render(&[group])
}

/// Shows several, with a blank line after each.
pub(crate) fn show_all(diagnostics: &[Diagnostic], base: &Path) {
    for diagnostic in diagnostics {
        err!("{}\n", show(diagnostic, base));
    }
}
