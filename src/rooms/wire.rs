//! How nodes put what they have to say into notifications of PostgreSQL, which take less than 8,000
//! bytes each: a text is cut into chunks, and chunks are counted, so that a lost one is noticed.

use uuid::Uuid;

/// The most bytes of text in one notification, besides the header.
const CHUNK: usize = 7_800;
/// A text that is longer than this is not put together.
const MOST: usize = 64 << 20;

/// Cuts the texts of one node.
#[derive(Debug)]
pub(super) struct Writer {
    node: Uuid,
    next: u64,
}

impl Writer {
    pub(super) fn new(node: Uuid) -> Self {
        Self { node, next: 0 }
    }

    /// The notifications that carry a text: `<node> <number> <first> <last>`, a line end, and a
    /// chunk.
    pub(super) fn cut(&mut self, text: &str) -> Vec<String> {
        let mut payloads = Vec::new();
        let mut rest = text;
        loop {
            let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK));
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

/// A piece of what a node says.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    pub node: Uuid,
    number: u64,
    first: bool,
    last: bool,
    text: &'a str,
}

impl<'a> Chunk<'a> {
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
pub(super) struct Reader {
    next: Option<u64>,
    text: Option<String>,
}

impl Reader {
    /// Takes the next chunk. Returns whether something before it is missing, and the text if this
    /// was its last chunk.
    pub(super) fn take(&mut self, chunk: &Chunk<'_>) -> (bool, Option<String>) {
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
            .filter(|text| text.len() + chunk.text.len() <= MOST);
        if let Some(text) = &mut self.text {
            text.push_str(chunk.text);
        }
        (gap, if chunk.last { self.text.take() } else { None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut Reader, payloads: &[String]) -> Vec<(bool, Option<String>)> {
        payloads
            .iter()
            .map(|payload| reader.take(&Chunk::parse(payload).unwrap()))
            .collect()
    }

    #[test]
    fn a_long_text_is_cut_and_put_together() {
        // The border between two chunks is inside a character.
        let long = format!("1{}", "ä".repeat(CHUNK));
        let mut writer = Writer::new(Uuid::nil());
        let mut reader = Reader::default();
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
    fn what_lacks_a_chunk_is_not_put_together() {
        let mut writer = Writer::new(Uuid::nil());
        let mut reader = Reader::default();
        read(&mut reader, &writer.cut("before"));
        let mut payloads = writer.cut(&"x".repeat(CHUNK * 3));
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
    fn strange_payloads_are_no_chunks() {
        for payload in [
            "",
            "x",
            "\n",
            "no-uuid 1 1 1\ntext",
            "00000000000000000000000000000000 x 1 1\ntext",
        ] {
            assert!(Chunk::parse(payload).is_none(), "{payload}");
        }
    }
}
