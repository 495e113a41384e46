//! The glyphs of a document: a typewriter font that every viewer has for Latin letters, and for
//! everything else Unifont, whose bitmaps are drawn into the document as far as it needs them.
//!
//! Letters stand one by one in cells: ligatures and the order of scripts that run from right to
//! left are left to whoever copies the text, which comes out as it was.

use std::collections::BTreeMap;

use pdf_writer::types::{SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str};
use unicode_normalization::char::is_combining_mark;
use unifont::{Glyph, get_glyph};

/// The size of a letter, in points; a cell is 0.6 of it wide.
pub(super) const LETTER: f32 = 6.0;

/// The typewriter font.
const COURIER: &str = "F0";
/// Glyphs of one font in the document: its codes are bytes.
const GLYPHS_PER_FONT: usize = 256;
/// Pixels of a cell, and below the line.
const CELL: f32 = 8.0;
const DESCENT: f32 = 2.0;

/// Cells that a letter takes: none for a mark above or below the letter before it; `None` for what
/// has no glyph.
pub(super) fn cells(letter: char) -> Option<usize> {
    match (win_ansi(letter), get_glyph(letter)) {
        (Some(_), _) => Some(1),
        (None, Some(_)) if is_mark_without_width(letter) => Some(0),
        (None, Some(glyph)) => Some(if glyph.is_fullwidth() { 2 } else { 1 }),
        (None, None) => None,
    }
}

/// The code of a letter that the typewriter font has.
fn win_ansi(letter: char) -> Option<u8> {
    matches!(letter, ' '..='~' | '\u{a0}'..='\u{ff}')
        .then(|| u8::try_from(u32::from(letter)).unwrap_or(b'?'))
}

/// Marks that stand in the cell of the letter before. Vowel signs of Indic scripts that take room
/// of their own have a cell.
fn is_mark_without_width(letter: char) -> bool {
    let takes_room = matches!(letter,
        '\u{903}' | '\u{93b}' | '\u{93e}'..='\u{940}' | '\u{949}'..='\u{94c}' | '\u{94e}'..='\u{94f}'
        | '\u{982}'..='\u{983}' | '\u{9be}'..='\u{9c0}' | '\u{9c7}'..='\u{9cc}' | '\u{9d7}'
        | '\u{a03}' | '\u{a3e}'..='\u{a40}' | '\u{a83}' | '\u{abe}'..='\u{ac0}' | '\u{ac9}'..='\u{acc}'
        | '\u{b02}'..='\u{b03}' | '\u{b3e}' | '\u{b40}' | '\u{b47}'..='\u{b4c}' | '\u{b57}'
        | '\u{bbe}'..='\u{bbf}' | '\u{bc1}'..='\u{bcc}' | '\u{bd7}' | '\u{c01}'..='\u{c03}' | '\u{c41}'..='\u{c44}'
        | '\u{c82}'..='\u{c83}' | '\u{cbe}' | '\u{cc0}'..='\u{cc4}' | '\u{cc7}'..='\u{ccb}' | '\u{cd5}'..='\u{cd6}'
        | '\u{d02}'..='\u{d03}' | '\u{d3e}'..='\u{d40}' | '\u{d46}'..='\u{d4c}' | '\u{d57}'
        | '\u{d82}'..='\u{d83}' | '\u{dcf}'..='\u{dd1}' | '\u{dd8}'..='\u{ddf}' | '\u{f3e}'..='\u{f3f}'
        | '\u{102b}'..='\u{102c}' | '\u{1031}' | '\u{1038}' | '\u{17b6}' | '\u{17be}'..='\u{17c5}' | '\u{17c7}'..='\u{17c8}');
    is_combining_mark(letter) && !takes_room
}

/// The letters of a document that are not in the typewriter font, each with its place among them.
#[derive(Debug, Default)]
pub(super) struct Glyphs(BTreeMap<char, usize>);

impl Glyphs {
    /// Collects the letters of some texts.
    pub fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut glyphs = Self::default();
        for letter in texts
            .flat_map(str::chars)
            .filter(|letter| win_ansi(*letter).is_none())
        {
            glyphs.0.insert(letter, 0);
        }
        for (place, index) in glyphs.0.values_mut().enumerate() {
            *index = place;
        }
        glyphs
    }

    /// The names of the fonts of the document.
    pub fn fonts(&self) -> Vec<String> {
        let drawn = self.0.len().div_ceil(GLYPHS_PER_FONT);
        (0..=drawn).map(|font| format!("F{font}")).collect()
    }

    /// Shows a text: in runs, each in the font that has its letters.
    pub fn show(&self, content: &mut Content, text: &str) {
        let mut run = Vec::new();
        let mut current = 0;
        for letter in text.chars() {
            let (font, code) = self.place(letter);
            if font != current && !run.is_empty() {
                set_and_show(content, current, &run);
                run.clear();
            }
            current = font;
            run.push(code);
        }
        set_and_show(content, current, &run);
    }

    /// The number of the font that a letter is in, and its code there.
    fn place(&self, letter: char) -> (usize, u8) {
        if let Some(code) = win_ansi(letter) {
            return (0, code);
        }
        let index = self.0.get(&letter).copied().unwrap_or_default();
        (
            index / GLYPHS_PER_FONT + 1,
            u8::try_from(index % GLYPHS_PER_FONT).unwrap_or_default(),
        )
    }

    /// Writes the fonts; `ids` are those of [`Self::fonts`].
    pub fn write(&self, pdf: &mut Pdf, ids: &[Ref], new_ref: &mut impl FnMut() -> Ref) {
        let Some((courier, drawn)) = ids.split_first() else {
            return;
        };
        pdf.type1_font(*courier)
            .base_font(Name(b"Courier"))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
        let letters: Vec<char> = self.0.keys().copied().collect();
        for (id, letters) in drawn.iter().zip(letters.chunks(GLYPHS_PER_FONT)) {
            write_font(pdf, *id, letters, new_ref);
        }
    }
}

fn set_and_show(content: &mut Content, font: usize, run: &[u8]) {
    let name = if font == 0 {
        COURIER.to_owned()
    } else {
        format!("F{font}")
    };
    content
        .set_font(Name(name.as_bytes()), LETTER)
        .show(Str(run));
}

fn write_font(pdf: &mut Pdf, id: Ref, letters: &[char], new_ref: &mut impl FnMut() -> Ref) {
    let procedures: Vec<Ref> = letters.iter().map(|_| new_ref()).collect();
    let unicode = new_ref();
    let names: Vec<String> = letters
        .iter()
        .map(|letter| format!("u{:04X}", u32::from(*letter)))
        .collect();
    let last = u8::try_from(letters.len().saturating_sub(1)).unwrap_or(u8::MAX);
    let mut font = pdf.type3_font(id);
    font.bbox(Rect::new(
        -2.0 * CELL,
        -DESCENT,
        2.0 * CELL,
        2.0 * CELL - DESCENT,
    ));
    // A cell is as wide as a letter of the typewriter font.
    font.matrix([0.6 / CELL, 0.0, 0.0, 0.6 / CELL, 0.0, 0.0]);
    font.char_procs().pairs(
        names
            .iter()
            .zip(&procedures)
            .map(|(name, id)| (Name(name.as_bytes()), *id)),
    );
    font.encoding_custom()
        .differences()
        .consecutive(0, names.iter().map(|name| Name(name.as_bytes())));
    font.first_char(0)
        .last_char(last)
        .widths(letters.iter().map(|letter| width(*letter)));
    font.to_unicode(unicode);
    font.resources().finish();
    font.finish();
    for (letter, procedure) in letters.iter().zip(&procedures) {
        pdf.stream(*procedure, &drawing(*letter));
    }
    let info = SystemInfo {
        registry: Str(b"Adobe"),
        ordering: Str(b"UCS"),
        supplement: 0,
    };
    let mut map = UnicodeCmap::<u8>::new(Name(b"Letters"), info);
    for (code, letter) in letters.iter().enumerate() {
        map.pair(u8::try_from(code).unwrap_or_default(), *letter);
    }
    pdf.stream(unicode, &map.finish());
}

/// How far the next letter stands, in pixels.
fn width(letter: char) -> f32 {
    match cells(letter) {
        Some(0) | None => 0.0,
        Some(1) => CELL,
        Some(_) => 2.0 * CELL,
    }
}

/// A glyph's pixels as rectangles, one for each run in a row. Marks are drawn over the letter
/// before.
fn drawing(letter: char) -> Vec<u8> {
    let mut content = Content::new();
    let columns = get_glyph(letter).map_or(0, Glyph::get_width);
    let left = if width(letter) == 0.0 {
        -pixels(columns)
    } else {
        0.0
    };
    content.start_shape_glyph(
        width(letter),
        left,
        -DESCENT,
        left + pixels(columns),
        2.0 * CELL - DESCENT,
    );
    let is_set = |x, y| get_glyph(letter).is_some_and(|glyph| glyph.get_pixel(x, y));
    for y in 0..16 {
        let mut x = 0;
        while x < columns {
            let run = (x..columns).take_while(|x| is_set(*x, y)).count();
            if run > 0 {
                content.rect(
                    left + pixels(x),
                    2.0 * CELL - DESCENT - pixels(y + 1),
                    pixels(run),
                    1.0,
                );
            }
            x += run + 1;
        }
    }
    content.fill_nonzero();
    content.finish().into_vec()
}

#[expect(clippy::cast_precision_loss, reason = "a glyph has 16 pixels")]
fn pixels(count: usize) -> f32 {
    count as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_every_script_have_a_glyph() {
        for text in [
            "Grüße",
            "Ελληνικά",
            "Кириллица",
            "ภาษาไทย",
            "हिन्दी",
            "日本語",
            "한국어",
            "العربية",
            "עברית",
            "Việt",
            "ქართული",
            "தமிழ்",
        ] {
            for letter in text.chars() {
                assert!(cells(letter).is_some(), "{letter} of {text}");
            }
        }
        assert_eq!(
            (
                cells('a'),
                cells('ж'),
                cells('語'),
                cells('\u{301}'),
                cells('\u{e34}')
            ),
            (Some(1), Some(1), Some(2), Some(0), Some(0))
        );
        assert_eq!(cells('\u{10ffff}'), None);
    }

    #[test]
    fn glyphs_are_drawn_and_spread_over_fonts() {
        let letters: String = ('\u{4e00}'..='\u{5000}').collect();
        let glyphs = Glyphs::of(["abc", &letters].into_iter());
        assert_eq!(glyphs.fonts().len(), 1 + 3);
        assert_eq!(
            (
                glyphs.place('a'),
                glyphs.place('\u{4e00}'),
                glyphs.place('\u{4f00}')
            ),
            ((0, b'a'), (1, 0), (2, 0))
        );
        assert!(String::from_utf8_lossy(&drawing('一')).contains(" re"));
    }
}
