//! Standard output and standard error.
//!
//! Everything this program prints passes through here: what a terminal would obey other than colours
//! is escaped, and an output that is full or closed ends in an exit code and not in a panic.

use handoff_engine::display;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// Why standard output could not be written, once it could not.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line.
macro_rules! out {
    () => { $crate::output::print(format_args!("")) };
    ($($arguments:tt)*) => { $crate::output::print(format_args!($($arguments)*)) };
}

/// Prints a line to standard error.
macro_rules! err {
    ($($arguments:tt)*) => { $crate::output::print_error(format_args!($($arguments)*)) };
}

pub(crate) fn print(text: fmt::Arguments<'_>) {
    print_text(&format!("{text}\n"));
}

/// Prints a text that brings its line breaks.
pub(crate) fn print_text(text: &str) {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_some() {
        return;
    }
    let mut stdout = anstream::stdout().lock();
    let written = stdout.write_all(display::styled(text).as_bytes());
    if let Err(error) = written.and_then(|()| stdout.flush()) {
        *failed = Some(error);
    }
}

pub(crate) fn print_error(text: fmt::Arguments<'_>) {
    let text = format!("{text}\n");
    // Nobody is left to tell.
    let _ = anstream::stderr().write_all(display::styled(&text).as_bytes());
}

/// The exit code of a program that came to `code`: a failure if its output did not arrive.
pub(crate) fn arrived(code: ExitCode) -> ExitCode {
    match FAILED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        None => code,
        // The reader has seen enough.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Some(error) => {
            err!("error: standard output cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Standard error for log lines. A line stays one, whatever is told in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogLines;

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A line comes as a whole.
        let text = String::from_utf8_lossy(bytes);
        io::stderr().write_all(log_line(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn log_line(text: &str) -> String {
    let told = display::styled(text.strip_suffix('\n').unwrap_or(text)).replace('\n', "\\n");
    format!("{told}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_stays_one() {
        let shown = log_line("a\n2026 INFO forged\r\n\u{1b}]0;x\u{7}\u{202e}\n");
        assert_eq!(shown, "a\\n2026 INFO forged\\n\\u001b]0;x\\u0007\\u202e\n");
    }
}
