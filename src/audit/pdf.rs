//! The trail as a PDF: a table in a typewriter font, which every viewer has.

use chrono::{DateTime, Utc};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str};

use super::entry::AuditRow;
use super::export::{TITLES, cells};
use crate::db::canonical_time;

/// The size of a page, A4 across, and its margin, in points.
const PAGE: (f32, f32) = (842.0, 595.0);
const MARGIN: f32 = 25.0;
/// The size of a letter, and from one line to the next, in points.
const LETTER: f32 = 6.0;
const LEADING: f32 = 7.2;
/// Lines of the table on a page.
const LINES: usize = 70;
/// The widths of the columns, in letters: what is longer goes on below.
const WIDTHS: [usize; 11] = [9, 24, 12, 18, 18, 16, 26, 26, 22, 15, 22];
/// The longest value, in letters.
const LONGEST: usize = 2000;
const FONT: Name<'static> = Name(b"F1");

/// Writes the document.
pub(super) fn write(rows: &[AuditRow], at: DateTime<Utc>) -> Vec<u8> {
    let lines: Vec<Vec<u8>> = rows.iter().flat_map(|row| table_lines(&cells(row))).collect();
    let mut chunks: Vec<&[Vec<u8>]> = lines.chunks(LINES).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    let mut next = 0;
    let mut new_ref = || {
        next += 1;
        Ref::new(next)
    };
    let (catalog, tree, font) = (new_ref(), new_ref(), new_ref());
    let pages: Vec<(Ref, Ref)> = chunks.iter().map(|_| (new_ref(), new_ref())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids(pages.iter().map(|(page, _)| *page)).count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    pdf.type1_font(font).base_font(Name(b"Courier")).encoding_predefined(Name(b"WinAnsiEncoding"));
    for (index, (chunk, (page, content))) in chunks.iter().zip(&pages).enumerate() {
        let mut writer = pdf.page(*page);
        writer.parent(tree).media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).contents(*content);
        writer.resources().fonts().pair(FONT, font);
        writer.finish();
        let (number, count) = (index + 1, pages.len());
        let title =
            format!("Audit trail, {} rows, written {}. Page {number} of {count}", rows.len(), canonical_time(at));
        pdf.stream(*content, &page_text(&title, chunk));
    }
    pdf.finish()
}

fn page_text(title: &str, lines: &[Vec<u8>]) -> Vec<u8> {
    let mut content = Content::new();
    content.begin_text().set_font(FONT, LETTER).set_leading(LEADING);
    content.next_line(MARGIN, PAGE.1 - MARGIN - LETTER);
    content.show(Str(&letters(title))).next_line_using_leading().next_line_using_leading();
    for line in table_lines(&TITLES.map(str::to_owned)).iter().chain(lines) {
        content.show(Str(line)).next_line_using_leading();
    }
    content.end_text();
    content.finish().into_vec()
}

/// A row of the table: as many lines as its longest cell needs.
fn table_lines(cells: &[String; 11]) -> Vec<Vec<u8>> {
    let cells: Vec<Vec<u8>> = cells.iter().map(|cell| letters(cell)).collect();
    let parts = |(cell, width): (&Vec<u8>, usize)| cell.len().div_ceil(width);
    let height = cells.iter().zip(WIDTHS).map(parts).max().unwrap_or(1).max(1);
    let line = |index: usize| {
        let mut line = Vec::new();
        for (cell, width) in cells.iter().zip(WIDTHS) {
            let part = cell.chunks(width).nth(index).unwrap_or_default();
            line.extend_from_slice(part);
            line.resize(line.len() + width - part.len() + 1, b' ');
        }
        line.truncate(line.trim_ascii_end().len());
        line
    };
    (0..height).map(line).collect()
}

/// A text in the encoding of the font. Letters that it does not have are written as their numbers, `\u{4e2d}`.
fn letters(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars().take(LONGEST) {
        match letter {
            ' '..='~' | '\u{a0}'..='\u{ff}' => bytes.push(u8::try_from(u32::from(letter)).unwrap_or(b'?')),
            '\n' | '\r' | '\t' => bytes.push(b' '),
            other => bytes.extend(other.escape_unicode().map(|part| u8::try_from(part).unwrap_or(b'?'))),
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        bytes.extend_from_slice(b" (cut here)");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_goes_on_below_and_nothing_is_lost() {
        let mut cells = TITLES.map(str::to_owned);
        cells[6] = "abcdefghijklmnopqrstuvwxyz0123".into();
        cells[7] = "\u{4e2d}\u{fc}\n".into();
        let lines = table_lines(&cells);
        let text: Vec<String> = lines.iter().map(|line| line.iter().map(|&byte| char::from(byte)).collect()).collect();
        assert_eq!(text.len(), 2);
        assert!(text[0].contains("abcdefghijklmnopqrstuvwxyz \\u{4e2d}\u{fc}"), "{text:?}");
        assert!(text[1].trim_start().starts_with("0123"), "{text:?}");
    }

    #[test]
    fn without_rows_there_is_one_page() {
        let document = write(&[], DateTime::UNIX_EPOCH);
        assert!(document.starts_with(b"%PDF-"));
        assert!(String::from_utf8_lossy(&document).contains("Page 1 of 1"));
    }
}
