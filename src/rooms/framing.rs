//! The framing of texts in notifications of PostgreSQL, which take less than 8,000 bytes each: a
//! text is cut into chunks, and chunks are counted, so that a lost one is noticed.

use uuid::Uuid;

/// Upper limit of the text in one notification, in bytes, without the header.
const MAX_CHUNK_BYTES: usize = 7_800;
/// Upper limit of a text that is put together, in bytes.
const MAX_TEXT_BYTES: usize = 64 << 20;

/// Cuts the texts of one node.
#[derive(Debug)]
pub(super) struct ChunkWriter {
    node: Uuid,
    next: u64,
}

impl ChunkWriter {
    pub(super) fn new(node: Uuid) -> Self {
        Self { node, next: 0 }
    }

    /// The notifications that carry a text: `<node> <number> <first> <last>`, a line end, and a
    /// chunk.
    pub(super) fn cut(&mut self, text: &str) -> Vec<String> {
        let mut payloads = Vec::new();
        let mut rest = text;
        loop {
            let (chunk, after) = rest.split_at(rest.floor_char_boundary(MAX_CHUNK_BYTES));
            let (first, last) = (u8::from(payloads.is_empty()), u8::from(after.is_empty()));
            payloads.push(format!(
                "{} {} {first} {last}\n{chunk}",
                self.node.simple(),
                self.next
            ));
            self.next += 1;
            rest = after;
            if rest.is_empty() {
                return payloads;
            }
        }
    }
}

/// A chunk of a text.
#[derive(Debug)]
pub(super) struct TextChunk<'a> {
    pub node: Uuid,
    number: u64,
    first: bool,
    last: bool,
    text: &'a str,
}

impl<'a> TextChunk<'a> {
    pub(super) fn parse(payload: &'a str) -> Option<Self> {
        let (header, text) = payload.split_once('\n')?;
        let mut words = header.split(' ');
        let node = Uuid::try_parse(words.next()?).ok()?;
        let number = words.next()?.parse().ok()?;
        let (first, last) = (words.next()? == "1", words.next()? == "1");
        Some(Self {
            node,
            number,
            first,
            last,
            text,
        })
    }
}

/// Puts the chunks of one node together.
#[derive(Debug, Default)]
pub(super) struct ChunkReader {
    next: Option<u64>,
    text: Option<String>,
}

impl ChunkReader {
    /// Takes the next chunk. Returns whether something before it is missing, and the text if this
    /// was its last chunk.
    pub(super) fn take(&mut self, chunk: &TextChunk<'_>) -> (bool, Option<String>) {
        let gap = self.next != Some(chunk.number);
        self.next = Some(chunk.number + 1);
        if chunk.first {
            self.text = Some(String::new());
        } else if gap {
            self.text = None;
        }
        self.text = self
            .text
            .take()
            .filter(|text| text.len() + chunk.text.len() <= MAX_TEXT_BYTES);
        if let Some(text) = &mut self.text {
            text.push_str(chunk.text);
        }
        (gap, if chunk.last { self.text.take() } else { None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut ChunkReader, payloads: &[String]) -> Vec<(bool, Option<String>)> {
        payloads
            .iter()
            .map(|payload| reader.take(&TextChunk::parse(payload).unwrap()))
            .collect()
    }

    #[test]
    fn a_long_text_is_cut_and_put_together() {
        // The border between two chunks is inside a character.
        let long = format!("1{}", "ä".repeat(MAX_CHUNK_BYTES));
        let mut writer = ChunkWriter::new(Uuid::nil());
        let mut reader = ChunkReader::default();
        let short = writer.cut("short");
        assert_eq!(
            read(&mut reader, &short),
            [(true, Some("short".into()))],
            "the first is after a gap"
        );
        let payloads = writer.cut(&long);
        assert_eq!(payloads.len(), 3);
        assert!(payloads.iter().all(|payload| payload.len() < 8_000));
        let heard = read(&mut reader, &payloads);
        assert!(heard[..2].iter().all(|heard| *heard == (false, None)));
        assert_eq!(heard[2], (false, Some(long)));
        assert_eq!(
            read(&mut reader, &writer.cut("")),
            [(false, Some(String::new()))]
        );
    }

    #[test]
    fn a_text_that_lacks_a_chunk_is_not_put_together() {
        let mut writer = ChunkWriter::new(Uuid::nil());
        let mut reader = ChunkReader::default();
        read(&mut reader, &writer.cut("before"));
        let mut payloads = writer.cut(&"x".repeat(MAX_CHUNK_BYTES * 3));
        payloads.remove(1);
        assert_eq!(read(&mut reader, &payloads), [(false, None), (true, None)]);
        assert_eq!(
            read(&mut reader, &writer.cut("after")),
            [(false, Some("after".into()))]
        );
        writer.cut("lost");
        assert_eq!(
            read(&mut reader, &writer.cut("then")),
            [(true, Some("then".into()))]
        );
    }

    #[test]
    fn strange_payloads_are_not_chunks() {
        for payload in [
            "",
            "x",
            "\n",
            "no-uuid 1 1 1\ntext",
            "00000000000000000000000000000000 x 1 1\ntext",
        ] {
            assert!(TextChunk::parse(payload).is_none(), "{payload}");
        }
    }
}
