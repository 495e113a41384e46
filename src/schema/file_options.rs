//! What the `options` of a file field demand.
//!
//! | Option | |
//! |---|---|
//! | `max_select` | files in one record, 1 to 100; with more than 1 the value is a list |
//! | `max_size` | the largest file in bytes, if that is less than the server takes |
//! | `mime_types` | the media types that are taken, of those that the server takes: `image/png`, `image/*` |
//! | `thumbs` | sizes in which pictures are handed out: `100x100`, `200x0`, `64x64t` |

use serde_json::Value as Json;

/// The options.
pub const FILE_OPTIONS: [&str; 4] = ["max_select", "max_size", "mime_types", "thumbs"];
/// Upper limit of the files in one record's field.
const MAX_SELECT: u64 = 100;
/// Upper limit of the items of a list.
const MAX_ITEMS: usize = 100;

/// What the files of a field must satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Files in one record; with more than 1 the value is a list.
    pub max_select: usize,
    /// The largest file in bytes.
    pub max_size: Option<u64>,
    /// Patterns of media types.
    pub mime_types: Option<Vec<String>>,
    /// Sizes in which pictures are handed out.
    pub thumbs: Vec<String>,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            max_select: 1,
            max_size: None,
            mime_types: None,
            thumbs: Vec::new(),
        }
    }
}

impl FileOptions {
    /// Whether a value is a list of descriptions.
    pub fn is_list(&self) -> bool {
        self.max_select > 1
    }

    /// Whether something is demanded that only files of this server can be checked for.
    pub fn needs_upload(&self) -> bool {
        self.max_size.is_some() || self.mime_types.is_some()
    }

    /// Reads one of [`FILE_OPTIONS`].
    ///
    /// # Errors
    ///
    /// What it takes instead.
    pub(super) fn set(&mut self, key: &str, value: &Json) -> Result<(), String> {
        match key {
            "max_select" => {
                let number = value
                    .as_u64()
                    .filter(|number| (1..=MAX_SELECT).contains(number));
                let number = number.and_then(|number| usize::try_from(number).ok());
                self.max_select = number
                    .ok_or_else(|| format!("{key} takes a whole number from 1 to {MAX_SELECT}"))?;
            }
            "max_size" => {
                let bytes = value.as_u64().filter(|bytes| *bytes > 0);
                let bytes = bytes.ok_or_else(|| format!("{key} takes a whole number of bytes"))?;
                self.max_size = Some(bytes);
            }
            "mime_types" => {
                let is_pattern = |text: &str| {
                    text.split_once('/')
                        .is_some_and(|(kind, of_kind)| !kind.is_empty() && !of_kind.is_empty())
                };
                let types = texts(value, is_pattern).ok_or_else(|| {
                    format!("{key} takes a list of media types such as image/png or image/*")
                })?;
                self.mime_types = Some(types).filter(|types| !types.is_empty());
            }
            _ => {
                let wanted = "takes a list of sizes such as 100x100, 200x0 or 64x64t";
                self.thumbs = texts(value, |text| ThumbSize::parse(text).is_some())
                    .ok_or_else(|| format!("{key} {wanted}"))?;
            }
        }
        Ok(())
    }
}

/// Upper limit of the sides of a thumbnail, in pixels.
const MAX_SIDE: u32 = 4096;

/// What of a picture is left out where its sides have another proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThumbFit {
    /// As much on both sides.
    Center,
    /// What is at the bottom or, of a wide picture, on both sides.
    Top,
    /// What is at the top or, of a wide picture, on both sides.
    Bottom,
    /// Nothing: one side is shorter.
    Inside,
}

/// The size of a thumbnail in PocketBase's words: `WxH` (cropped from the centre), `WxHt` and `WxHb`
/// (from the top or bottom), `WxHf` (fitted), `0xH` and `Wx0` (the other side follows); 4096 pixels
/// at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThumbSize {
    /// The width in pixels; 0 if it follows.
    pub width: u32,
    /// The height in pixels; 0 if it follows.
    pub height: u32,
    /// What is left out.
    pub fit: ThumbFit,
}

impl ThumbSize {
    /// Reads a size.
    pub fn parse(text: &str) -> Option<Self> {
        let (size, fit) = match text.as_bytes().last()? {
            b't' => (&text[..text.len() - 1], ThumbFit::Top),
            b'b' => (&text[..text.len() - 1], ThumbFit::Bottom),
            b'f' => (&text[..text.len() - 1], ThumbFit::Inside),
            _ => (text, ThumbFit::Center),
        };
        let pixels = |text: &str| {
            let is_plain = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
            let pixels = text.parse().ok().filter(|pixels| *pixels <= MAX_SIDE);
            pixels.filter(|_| is_plain)
        };
        let (width, height) = size.split_once('x')?;
        let (width, height) = (pixels(width)?, pixels(height)?);
        // Cropping and fitting need both sides.
        let is_right = match (width, height) {
            (0, 0) => false,
            (0, _) | (_, 0) => fit == ThumbFit::Center,
            _ => true,
        };
        is_right.then_some(Self { width, height, fit })
    }
}

fn texts(value: &Json, fits: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let items = value.as_array().filter(|items| items.len() <= MAX_ITEMS)?;
    let text = |item: &Json| item.as_str().filter(|text| fits(text)).map(str::to_owned);
    items.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_of_thumbnails_are_told_from_other_words() {
        for size in [
            "100x100",
            "1x1",
            "0x50",
            "50x0",
            "64x64t",
            "64x64b",
            "64x64f",
            "4096x4096",
        ] {
            assert!(ThumbSize::parse(size).is_some(), "{size}");
        }
        for size in [
            "", "x", "0x0", "0x50t", "100", "100x", "-1x5", "+1x5", "5000x1", "1x1tt", "1x1tb",
            "1 x1", "1x1x",
        ] {
            assert_eq!(ThumbSize::parse(size), None, "{size}");
        }
    }

    #[test]
    fn options_are_read_or_refused() {
        let mut options = FileOptions::default();
        options.set("max_select", &json!(5)).unwrap();
        options.set("max_size", &json!(1000)).unwrap();
        options.set("mime_types", &json!(["image/*"])).unwrap();
        options.set("thumbs", &json!(["100x0"])).unwrap();
        assert!(options.is_list() && options.needs_upload());
        for (key, value) in [
            ("max_select", json!(0)),
            ("max_select", json!(101)),
            ("max_select", json!("2")),
            ("max_size", json!(0)),
            ("max_size", json!(-1)),
            ("mime_types", json!("image/png")),
            ("mime_types", json!(["png"])),
            ("thumbs", json!(["big"])),
        ] {
            assert!(options.set(key, &value).is_err(), "{key} {value}");
        }
    }
}
