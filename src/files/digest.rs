//! What is found out about a file while its bytes pass by.

use sha2::{Digest as _, Sha256};

use super::content_type::TextCheck;

/// The size, the SHA-256 and the text check of what was taken in.
#[derive(Clone, Debug, Default)]
pub struct ContentDigest {
    hasher: Sha256,
    size: u64,
    text: Option<TextCheck>,
}

impl ContentDigest {
    /// Of nothing; `checks_text` looks for UTF-8 as well.
    pub fn new(checks_text: bool) -> Self {
        Self {
            hasher: Sha256::new(),
            size: 0,
            text: checks_text.then(TextCheck::default),
        }
    }

    /// Takes in the next block. About a millisecond for a megabyte.
    pub fn update(&mut self, block: &[u8]) {
        self.hasher.update(block);
        self.size += block.len() as u64;
        if let Some(text) = &mut self.text {
            text.update(block);
        }
    }

    /// Bytes that were taken in.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it is text, if that was to be checked.
    pub fn is_text(&self) -> bool {
        self.text.as_ref().is_none_or(TextCheck::passed)
    }

    /// The SHA-256 in hexadecimal.
    pub fn sha256(self) -> String {
        use std::fmt::Write as _;
        let hash = self.hasher.finalize();
        hash.iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                // Writing to a String does not fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}
