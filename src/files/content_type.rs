//! What a file is, found in its bytes.
//!
//! Most types have a signature, and what the client says must agree with it. Texts have none: the
//! client is believed about these if the whole file is UTF-8.

use file_format::FileFormat;

/// The first bytes of a file that are looked at.
pub const HEAD_BYTES: usize = 64 * 1024;
/// The type of what nothing is known about.
pub const UNKNOWN: &str = "application/octet-stream";

/// Types by other names, as browsers and older programs send them.
const ALIASES: [(&str, &str); 12] = [
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("image/x-png", "image/png"),
    // An animation in a PNG is a PNG to whoever shows or allows it.
    ("image/apng", "image/png"),
    ("image/heif", "image/heic"),
    ("application/x-zip-compressed", "application/zip"),
    ("application/x-pdf", "application/pdf"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/x-wav", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/vnd.wave", "audio/wav"),
    ("text/json", "application/json"),
];

/// Types that are told apart only by what is inside of a common container.
const FAMILIES: [&[&str]; 4] = [
    &[
        "video/mp4",
        "audio/mp4",
        "application/mp4",
        "video/quicktime",
        "video/x-m4v",
        "audio/x-m4a",
        "audio/m4a",
        "video/3gpp",
        "audio/3gpp",
    ],
    &[
        "video/webm",
        "audio/webm",
        "video/x-matroska",
        "video/matroska",
        "audio/x-matroska",
    ],
    &["application/ogg", "audio/ogg", "video/ogg", "audio/opus"],
    &["audio/aac", "audio/x-aac", "audio/aacp"],
];

/// What stands in the names of the parts of a ZIP archive that is a document of another type.
const IN_ARCHIVES: [(&str, &str); 3] = [
    (
        "word/",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        "xl/",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        "ppt/",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
];

/// What a file is, as far as its beginning tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    /// The media type, without parameters.
    pub media_type: String,
    /// The ending of its path, with its dot; empty for none.
    pub extension: String,
    /// Whether it is that only if all of it is UTF-8 without NUL.
    pub must_be_text: bool,
}

/// Why a file is not what the client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What the client says.
    pub declared: String,
    /// What was found; [`UNKNOWN`] for nothing.
    pub found: String,
}

/// A media type without parameters, in lower case and by its usual name.
pub fn essence(declared: &str) -> String {
    let bare = declared.split(';').next().unwrap_or_default();
    let bare = bare.trim().to_ascii_lowercase();
    let usual = ALIASES.iter().find(|(other, _)| *other == bare);
    usual.map_or(bare, |(_, usual)| (*usual).to_owned())
}

/// Finds the type of a file from its first [`HEAD_BYTES`], the type that the client declares and
/// the file's name.
///
/// # Errors
///
/// [`Mismatch`] if the bytes are of another type than the declared one.
pub fn detect(head: &[u8], declared: Option<&str>, name: &str) -> Result<Detected, Mismatch> {
    let declared = declared
        .map(essence)
        .filter(|declared| !declared.is_empty() && declared != UNKNOWN);
    if let Some(declared) = declared.as_deref().filter(|declared| is_textual(declared)) {
        return Ok(text(declared, name));
    }
    let found = signature(head);
    match (found, declared) {
        (Some((found, extension)), None) => Ok(binary(found, &extension)),
        (Some((found, extension)), Some(declared)) => {
            if found == declared {
                Ok(binary(found, &extension))
            } else if are_family(&found, &declared) {
                let extension = extension_of(&declared).unwrap_or(extension);
                Ok(binary(declared, &extension))
            } else {
                Err(Mismatch { declared, found })
            }
        }
        (None, None) if looks_like_text(head) => Ok(text(text_type(name), name)),
        (None, None) => Ok(binary(UNKNOWN.to_owned(), "")),
        // Something without a signature that is known: there is nothing to compare with.
        (None, Some(declared)) if FileFormat::from_media_type(&declared).is_empty() => {
            Ok(binary(declared, ""))
        }
        (None, Some(declared)) => Err(Mismatch {
            declared,
            found: UNKNOWN.to_owned(),
        }),
    }
}

/// Whether a type is one of those: `image/png`, `image/*`, `*/*`.
pub fn is_allowed(media_type: &str, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| {
        let pattern = essence(pattern);
        pattern == media_type
            || pattern == "*/*"
            || pattern
                .strip_suffix('*')
                .is_some_and(|kind| kind.ends_with('/') && media_type.starts_with(kind))
    })
}

fn binary(media_type: String, extension: &str) -> Detected {
    Detected {
        media_type,
        extension: extension.to_owned(),
        must_be_text: false,
    }
}

fn text(media_type: &str, name: &str) -> Detected {
    let extension = match media_type {
        "application/json" => ".json",
        "text/csv" => ".csv",
        "text/html" => ".html",
        "text/markdown" => ".md",
        _ if name.to_ascii_lowercase().ends_with(".md") => ".md",
        _ => ".txt",
    };
    Detected {
        media_type: media_type.to_owned(),
        extension: extension.to_owned(),
        must_be_text: true,
    }
}

/// Whether the client is believed about a type. Pictures in XML have to look like some.
fn is_textual(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type == "application/json"
}

fn text_type(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let is = |extension: &str| name.ends_with(extension);
    match () {
        () if is(".json") => "application/json",
        () if is(".csv") => "text/csv",
        () => "text/plain",
    }
}

/// The type that a signature tells of, and its extension.
fn signature(head: &[u8]) -> Option<(String, String)> {
    if is_svg(head) {
        return Some(("image/svg+xml".into(), ".svg".into()));
    }
    let format = FileFormat::from_bytes(head);
    let mut found = essence(format.media_type());
    if found == "application/mp4" {
        // Its tracks are not looked at: browsers take it for a video, too.
        "video/mp4".clone_into(&mut found);
    }
    // A few letters at the beginning of a text can be the signature of some rare format.
    if found == UNKNOWN || format.kind() == file_format::Kind::Other && looks_like_text(head) {
        return None;
    }
    if found == "application/zip"
        && let Some(inside) = in_archive(head)
    {
        return Some((inside.to_owned(), extension_of(inside).unwrap_or_default()));
    }
    let extension = if found == "image/jpeg" {
        "jpg"
    } else if found == "image/png" {
        "png"
    } else {
        format.extension()
    };
    Some((found, format!(".{extension}")))
}

/// Whether a declared type lives in the container that was found.
fn are_family(found: &str, declared: &str) -> bool {
    let is_in_archive = found == "application/zip"
        && (declared.starts_with("application/vnd.openxmlformats-officedocument.")
            || declared.starts_with("application/vnd.oasis.opendocument.")
            || declared == "application/epub+zip");
    let both = |family: &&[&str]| family.contains(&found) && family.contains(&declared);
    is_in_archive || FAMILIES.iter().any(both)
}

fn extension_of(media_type: &str) -> Option<String> {
    let format = FileFormat::from_media_type(media_type).first()?;
    Some(format!(".{}", format.extension()))
}

/// What document a ZIP archive is, from the names of its first parts.
fn in_archive(head: &[u8]) -> Option<&'static str> {
    const HEADER: &[u8] = b"PK\x03\x04";
    const NAME_AT: usize = 30;
    let mut parts = memchr::memmem::find_iter(head, HEADER)
        .filter_map(|at| head.get(at + NAME_AT..))
        .filter_map(|name| {
            IN_ARCHIVES
                .iter()
                .find(|(folder, _)| name.starts_with(folder.as_bytes()))
        });
    parts.next().map(|(_, media_type)| *media_type)
}

/// Whether the first element is `svg`, after declarations and comments.
fn is_svg(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head = &head[..head.len().min(4096)];
    let mut rest = String::from_utf8_lossy(head).into_owned();
    loop {
        let trimmed = rest.trim_start();
        let end = if trimmed.starts_with("<?") {
            "?>"
        } else if trimmed.starts_with("<!--") {
            "-->"
        } else if trimmed.starts_with("<!") {
            ">"
        } else {
            let name = trimmed.strip_prefix('<').unwrap_or_default();
            let name: String = name
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == ':')
                .collect();
            return name == "svg" || name.ends_with(":svg");
        };
        let Some(at) = trimmed.find(end) else {
            return false;
        };
        rest = trimmed[at + end.len()..].to_owned();
    }
}

/// Whether bytes could be the beginning of a UTF-8 text.
fn looks_like_text(head: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // Cut within a character.
        Err(error) => error.error_len().is_none(),
    };
    is_utf8
        && !head
            .iter()
            .any(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31 | 127))
}

/// Checks that something is UTF-8 without NUL, piece by piece.
#[derive(Clone, Debug, Default)]
pub struct TextCheck {
    /// The beginning of a character that goes on in the next piece; 3 bytes at most.
    cut: Vec<u8>,
    is_broken: bool,
}

impl TextCheck {
    /// Takes in the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        if self.is_broken {
            return;
        }
        let joined;
        let bytes = if self.cut.is_empty() {
            piece
        } else {
            joined = [self.cut.as_slice(), piece].concat();
            &joined
        };
        let end = match std::str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => {
                self.is_broken = true;
                return;
            }
        };
        self.is_broken = memchr::memchr(0, bytes).is_some();
        self.cut = bytes[end..].to_vec();
    }

    /// Whether all of it was.
    pub fn passed(&self) -> bool {
        !self.is_broken && self.cut.is_empty()
    }
}

#[cfg(test)]
#[path = "content_type/tests.rs"]
mod tests;
