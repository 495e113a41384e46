//! The trail as a PDF: a table in cells of one width.

mod font;

use chrono::{DateTime, Utc};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref};

use super::entry::TrailRow;
use super::export::{TITLES, cells};
use crate::db::canonical_time;
use font::{Glyphs, LETTER};

/// The size of a page, A4 across, and its margin, in points.
const PAGE: (f32, f32) = (842.0, 595.0);
const MARGIN: f32 = 25.0;
/// From one line to the next, in points.
const LEADING: f32 = 7.2;
/// Lines of the table on a page.
const LINES: usize = 70;
/// The widths of the columns, in cells: what is longer goes on below.
const WIDTHS: [usize; 11] = [9, 24, 12, 18, 18, 16, 26, 26, 22, 15, 22];
/// The longest value, in letters.
const LONGEST: usize = 2000;

/// Writes the document.
pub(super) fn write(rows: &[TrailRow], at: DateTime<Utc>) -> Vec<u8> {
    let lines: Vec<String> = rows
        .iter()
        .flat_map(|row| table_lines(&cells(row)))
        .collect();
    let mut chunks: Vec<&[String]> = lines.chunks(LINES).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    let mut next = 0;
    let mut new_ref = || {
        next += 1;
        Ref::new(next)
    };
    let (catalog, tree) = (new_ref(), new_ref());
    let glyphs = Glyphs::of(lines.iter().map(String::as_str));
    let fonts: Vec<(String, Ref)> = glyphs
        .fonts()
        .into_iter()
        .map(|name| (name, new_ref()))
        .collect();
    let pages: Vec<(Ref, Ref)> = chunks.iter().map(|_| (new_ref(), new_ref())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree)
        .kids(pages.iter().map(|(page, _)| *page))
        .count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    let ids: Vec<Ref> = fonts.iter().map(|(_, id)| *id).collect();
    glyphs.write(&mut pdf, &ids, &mut new_ref);
    for (index, (chunk, (page, content))) in chunks.iter().zip(&pages).enumerate() {
        let mut writer = pdf.page(*page);
        writer
            .parent(tree)
            .media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1))
            .contents(*content);
        writer
            .resources()
            .fonts()
            .pairs(fonts.iter().map(|(name, id)| (Name(name.as_bytes()), *id)));
        writer.finish();
        let (number, count) = (index + 1, pages.len());
        let title = format!(
            "Audit trail, {} rows, written {}. Page {number} of {count}",
            rows.len(),
            canonical_time(at)
        );
        pdf.stream(*content, &page_text(&glyphs, &title, chunk));
    }
    pdf.finish()
}

fn page_text(glyphs: &Glyphs, title: &str, lines: &[String]) -> Vec<u8> {
    let mut content = Content::new();
    content.begin_text().set_leading(LEADING);
    content.next_line(MARGIN, PAGE.1 - MARGIN - LETTER);
    glyphs.show(&mut content, title);
    content.next_line_using_leading().next_line_using_leading();
    for line in table_lines(&TITLES.map(str::to_owned)).iter().chain(lines) {
        glyphs.show(&mut content, line);
        content.next_line_using_leading();
    }
    content.end_text();
    content.finish().into_vec()
}

/// A row of the table: as many lines as its longest cell needs.
fn table_lines(cells: &[String; 11]) -> Vec<String> {
    let parts: Vec<Vec<Part>> = cells
        .iter()
        .zip(WIDTHS)
        .map(|(cell, width)| wrapped(&letters(cell), width))
        .collect();
    let height = parts.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let line = |index: usize| {
        let mut line = String::new();
        for (parts, width) in parts.iter().zip(WIDTHS) {
            let used = parts.get(index).map_or(0, |part| {
                line.push_str(&part.text);
                part.cells
            });
            line.extend(std::iter::repeat_n(' ', width + 1 - used));
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    };
    (0..height).map(line).collect()
}

/// A piece of a text, and the cells that it takes.
#[derive(Default)]
struct Part {
    text: String,
    cells: usize,
}

/// Cuts a text into pieces that fit into a column. Marks stay with their letters.
fn wrapped(text: &str, width: usize) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for letter in text.chars() {
        let cells = font::cells(letter).unwrap_or_default();
        match parts.last_mut() {
            Some(part) if part.cells + cells <= width => {
                part.text.push(letter);
                part.cells += cells;
            }
            _ => parts.push(Part {
                text: letter.into(),
                cells,
            }),
        }
    }
    parts
}

/// A text in letters that there are glyphs for. Others are written as their numbers, `\u{1f980}`.
fn letters(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars().take(LONGEST) {
        match letter {
            '\n' | '\r' | '\t' => shown.push(' '),
            letter if letter.is_control() || font::cells(letter).is_none() => {
                shown.extend(letter.escape_unicode());
            }
            letter => shown.push(letter),
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push_str(" (cut here)");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_goes_on_below_and_nothing_is_lost() {
        let mut cells = TITLES.map(str::to_owned);
        cells[6] = "abcdefghijklmnopqrstuvwxyz0123".into();
        cells[7] = "\u{4e2d}\u{fc}\n\u{10ffff}".into();
        let text = table_lines(&cells);
        assert_eq!(text.len(), 2);
        assert!(
            text[0].contains("abcdefghijklmnopqrstuvwxyz \u{4e2d}\u{fc} \\u{10ffff}"),
            "{text:?}"
        );
        assert!(text[1].trim_start().starts_with("0123"), "{text:?}");
    }

    #[test]
    fn wide_letters_take_two_cells_and_marks_none() {
        let parts = |text: &str, width| {
            wrapped(text, width)
                .into_iter()
                .map(|part| part.text)
                .collect::<Vec<_>>()
        };
        assert_eq!(parts("日本語", 4), ["日本", "語"]);
        assert_eq!(parts("ง่าย", 2), ["ง่า", "ย"]);
        assert_eq!(parts("e\u{301}e\u{301}", 1), ["e\u{301}", "e\u{301}"]);
    }

    #[test]
    fn without_rows_there_is_one_page() {
        let document = write(&[], DateTime::UNIX_EPOCH);
        assert!(document.starts_with(b"%PDF-"));
        assert!(String::from_utf8_lossy(&document).contains("Page 1 of 1"));
    }
}
