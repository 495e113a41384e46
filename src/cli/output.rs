//! What commands print.

use std::fmt::{self, Display};
use std::io::{self, Write as _};

use crate::error::{Error, Result};

/// Prints a line. A reader that has gone, as in `snackbase … | head`, has seen enough: the command
/// goes on to its end.
///
/// # Errors
///
/// If standard output cannot be written for another reason, such as a full disk.
pub(super) fn print_line(line: impl Display) -> Result<()> {
    print(format_args!("{line}\n"))
}

/// Prints a text as it is; otherwise as [`print_line`].
pub(super) fn print_text(text: &str) -> Result<()> {
    print(format_args!("{text}"))
}

fn print(text: fmt::Arguments<'_>) -> Result<()> {
    let mut output = io::stdout().lock();
    match output.write_fmt(text).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::internal(format!(
            "standard output cannot be written: {error}"
        ))),
        _ => Ok(()),
    }
}
