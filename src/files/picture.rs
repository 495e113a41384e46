//! Pictures: their sides, and smaller ones made of them. Everything here is for a thread that may
//! compute for a second.

use std::io::Cursor;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder as _, ImageEncoder as _, ImageError, ImageFormat,
    ImageReader, Limits,
};

use crate::schema::{ThumbFit, ThumbSize};

/// Quality of JPEG pictures that are made, 1 to 100.
const JPEG_QUALITY: u8 = 85;
/// Bytes that a decoder may take for each pixel that is allowed: 16 bits for each of four channels,
/// and as much to work with.
const BYTES_PER_PIXEL: u64 = 12;

/// Why there is no smaller picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureProblem {
    /// It cannot be read.
    Unreadable,
    /// It has more pixels than are taken.
    TooLarge,
}

/// A picture that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub bytes: Vec<u8>,
    /// Whether it is a PNG, because something shines through; otherwise it is a JPEG.
    pub is_png: bool,
}

/// The format of a media type, if pictures of it can be read.
fn format_of(media_type: &str) -> Option<ImageFormat> {
    Some(match media_type {
        "image/jpeg" => ImageFormat::Jpeg,
        "image/png" => ImageFormat::Png,
        "image/gif" => ImageFormat::Gif,
        "image/webp" => ImageFormat::WebP,
        _ => return None,
    })
}

/// Whether pictures of a media type can be read.
pub(super) fn is_readable(media_type: &str) -> bool {
    format_of(media_type).is_some()
}

/// Width and height of a picture in pixels, the way up it is shown, from its first bytes; `None` for
/// what is not a picture that can be read.
pub(super) fn dimensions(media_type: &str, head: &[u8]) -> Option<(u32, u32)> {
    let reader = ImageReader::with_format(Cursor::new(head), format_of(media_type)?);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let turned = [
        Orientation::Rotate90,
        Orientation::Rotate270,
        Orientation::Rotate90FlipH,
        Orientation::Rotate270FlipH,
    ];
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Some(if turned.contains(&orientation) {
        (height, width)
    } else {
        (width, height)
    })
}

/// Makes a smaller picture: the first frame of an animation, turned as its metadata says.
///
/// # Errors
///
/// [`PictureProblem::TooLarge`] beyond `max_pixels`, before anything is decoded.
pub(super) fn shrink(
    media_type: &str,
    bytes: &[u8],
    size: ThumbSize,
    max_pixels: u64,
) -> Result<Made, PictureProblem> {
    let picture = decode(media_type, bytes, max_pixels)?;
    let has_alpha = picture.color().has_alpha();
    let (width, height) = (picture.width(), picture.height());
    let (crop, target) = place(width, height, size);
    let (pixels, kind) = if has_alpha {
        (picture.into_rgba8().into_raw(), PixelType::U8x4)
    } else {
        (picture.into_rgb8().into_raw(), PixelType::U8x3)
    };
    let unreadable = |_| PictureProblem::Unreadable;
    let source = ImageRef::new(width, height, &pixels, kind).map_err(unreadable)?;
    let mut small = Image::new(target.0, target.1, kind);
    let options = ResizeOptions::new().crop(crop.left, crop.top, crop.width, crop.height);
    Resizer::new()
        .resize(&source, &mut small, &options)
        .map_err(|_| PictureProblem::Unreadable)?;
    encode(small.buffer(), target, has_alpha)
}

fn decode(media_type: &str, bytes: &[u8], max_pixels: u64) -> Result<DynamicImage, PictureProblem> {
    let problem = |error| match error {
        ImageError::Limits(_) => PictureProblem::TooLarge,
        _ => PictureProblem::Unreadable,
    };
    let format = format_of(media_type).ok_or(PictureProblem::Unreadable)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(max_pixels.saturating_mul(BYTES_PER_PIXEL));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(problem)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(PictureProblem::TooLarge);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(problem)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The part of a picture that is used, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Crop {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// The part of a picture that is used, and the sides of the smaller one.
fn place(width: u32, height: u32, size: ThumbSize) -> (Crop, (u32, u32)) {
    let (w, h) = (f64::from(width), f64::from(height));
    let whole = Crop {
        left: 0.0,
        top: 0.0,
        width: w,
        height: h,
    };
    let (wanted_w, wanted_h) = (f64::from(size.width), f64::from(size.height));
    match (size.width, size.height, size.fit) {
        (0, _, _) => (whole, (pixels(w * wanted_h / h), size.height)),
        (_, 0, _) => (whole, (size.width, pixels(h * wanted_w / w))),
        (_, _, ThumbFit::Inside) => {
            let scale = (wanted_w / w).min(wanted_h / h);
            (whole, (pixels(w * scale), pixels(h * scale)))
        }
        (_, _, fit) => {
            let scale = (wanted_w / w).max(wanted_h / h);
            let (used_w, used_h) = ((wanted_w / scale).min(w), (wanted_h / scale).min(h));
            let top = match fit {
                ThumbFit::Top => 0.0,
                ThumbFit::Bottom => h - used_h,
                _ => (h - used_h) / 2.0,
            };
            let crop = Crop {
                left: (w - used_w) / 2.0,
                top,
                width: used_w,
                height: used_h,
            };
            (crop, (size.width, size.height))
        }
    }
}

/// A side in whole pixels: at least 1, and no more than a thumbnail may have.
fn pixels(side: f64) -> u32 {
    const MAX_SIDE: f64 = 4096.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 1 and 4096"
    )]
    let pixels = side.round().clamp(1.0, MAX_SIDE) as u32;
    pixels
}

fn encode(
    pixels: &[u8],
    (width, height): (u32, u32),
    has_alpha: bool,
) -> Result<Made, PictureProblem> {
    let mut bytes = Vec::new();
    let encoded = if has_alpha {
        PngEncoder::new(&mut bytes).write_image(pixels, width, height, ExtendedColorType::Rgba8)
    } else {
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
            pixels,
            width,
            height,
            ExtendedColorType::Rgb8,
        )
    };
    encoded.map_err(|_| PictureProblem::Unreadable)?;
    Ok(Made {
        bytes,
        is_png: has_alpha,
    })
}

#[cfg(test)]
#[path = "picture/tests.rs"]
mod tests;
