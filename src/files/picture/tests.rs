use image::{Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

const MAX_PIXELS: u64 = 1_000_000;

fn size(text: &str) -> ThumbSize {
    ThumbSize::parse(text).unwrap()
}

/// A picture whose upper half is red and whose lower half is blue.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |_, y| {
        if y < height / 2 {
            Rgb([255, 0, 0])
        } else {
            Rgb([0, 0, 255])
        }
    })
}

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn shrunk(bytes: &[u8], media_type: &str, thumb: &str) -> RgbImage {
    let made = shrink(media_type, bytes, size(thumb), MAX_PIXELS).unwrap();
    image::load_from_memory(&made.bytes).unwrap().into_rgb8()
}

fn is_red(pixel: Rgb<u8>) -> bool {
    pixel.0[0] > 200 && pixel.0[2] < 60
}

fn is_blue(pixel: Rgb<u8>) -> bool {
    pixel.0[2] > 200 && pixel.0[0] < 60
}

#[test]
fn sides_are_what_is_asked_for() {
    let bytes = written(&halves(200, 100).into(), ImageFormat::Png);
    for (thumb, sides) in [
        ("50x50", (50, 50)),
        ("50x50f", (50, 25)),
        ("0x50", (100, 50)),
        ("50x0", (50, 25)),
        ("300x0", (300, 150)),
        ("10x90t", (10, 90)),
    ] {
        assert_eq!(
            shrunk(&bytes, "image/png", thumb).dimensions(),
            sides,
            "{thumb}"
        );
    }
    let thin = written(&halves(1, 900).into(), ImageFormat::Png);
    assert_eq!(shrunk(&thin, "image/png", "0x10").dimensions(), (1, 10));
    assert_eq!(
        shrunk(&thin, "image/png", "4000x0").dimensions(),
        (4000, 4096)
    );
}

#[test]
fn what_is_left_out_is_as_asked() {
    let bytes = written(&halves(100, 200).into(), ImageFormat::Png);
    let middle = |thumb: &str| *shrunk(&bytes, "image/png", thumb).get_pixel(25, 25);
    assert!(is_red(middle("50x50t")));
    assert!(is_blue(middle("50x50b")));
    let centre = shrunk(&bytes, "image/png", "50x50");
    assert!(is_red(*centre.get_pixel(25, 2)) && is_blue(*centre.get_pixel(25, 47)));
}

#[test]
fn every_format_that_is_taken_is_read() {
    let picture = DynamicImage::from(halves(60, 60));
    for (media_type, format) in [
        ("image/png", ImageFormat::Png),
        ("image/jpeg", ImageFormat::Jpeg),
        ("image/gif", ImageFormat::Gif),
        ("image/webp", ImageFormat::WebP),
    ] {
        let bytes = written(&picture, format);
        let small = shrunk(&bytes, media_type, "20x20");
        assert!(
            is_red(*small.get_pixel(10, 3)) && is_blue(*small.get_pixel(10, 17)),
            "{media_type}"
        );
        assert!(
            dimensions(media_type, &bytes[..bytes.len().min(1024)]).is_some(),
            "{media_type}"
        );
        assert_eq!(dimensions(media_type, &bytes), Some((60, 60)));
    }
    assert_eq!(dimensions("text/plain", b"x"), None);
    assert_eq!(dimensions("image/png", b"x"), None);
}

#[test]
fn what_shines_through_does_so_in_the_small_one() {
    let picture = RgbaImage::from_fn(40, 40, |x, _| {
        if x < 20 {
            Rgba([0, 0, 0, 0])
        } else {
            Rgba([0, 255, 0, 255])
        }
    });
    let bytes = written(&picture.into(), ImageFormat::Png);
    let made = shrink("image/png", &bytes, size("10x10"), MAX_PIXELS).unwrap();
    assert!(made.is_png);
    let small = image::load_from_memory(&made.bytes).unwrap().into_rgba8();
    assert_eq!(small.get_pixel(1, 5).0[3], 0);
    assert_eq!(small.get_pixel(8, 5).0, [0, 255, 0, 255]);
}

#[test]
fn pictures_are_turned_as_their_metadata_says() {
    let upright = halves(40, 80);
    for orientation in 1..=8 {
        let turned = match orientation {
            1 => upright.clone(),
            2 => image::imageops::flip_horizontal(&upright),
            3 => image::imageops::rotate180(&upright),
            4 => image::imageops::flip_vertical(&upright),
            5 => image::imageops::flip_horizontal(&image::imageops::rotate90(&upright)),
            6 => image::imageops::rotate270(&upright),
            7 => image::imageops::flip_horizontal(&image::imageops::rotate270(&upright)),
            _ => image::imageops::rotate90(&upright),
        };
        let bytes = with_orientation(&written(&turned.into(), ImageFormat::Jpeg), orientation);
        assert_eq!(
            dimensions("image/jpeg", &bytes),
            Some((40, 80)),
            "{orientation}"
        );
        let small = shrunk(&bytes, "image/jpeg", "20x40");
        let (upper, lower) = (*small.get_pixel(10, 5), *small.get_pixel(10, 35));
        assert!(
            is_red(upper) && is_blue(lower),
            "{orientation}: {upper:?} {lower:?}"
        );
    }
}

/// A JPEG with an EXIF segment that has an orientation.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn bombs_and_rubbish_are_refused_before_they_are_decoded() {
    let bytes = written(&halves(100, 100).into(), ImageFormat::Png);
    let shrink = |bytes: &[u8], most| shrink("image/png", bytes, size("10x10"), most);
    assert_eq!(shrink(&bytes, 9_999), Err(PictureProblem::TooLarge));
    assert!(shrink(&bytes, 10_000).is_ok());
    // A header that claims 2^31 pixels on each side.
    let mut bomb = bytes.clone();
    bomb[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    assert!(shrink(&bomb, MAX_PIXELS).is_err());
    for end in [0, 10, 40, bytes.len() / 2] {
        assert_eq!(
            shrink(&bytes[..end], MAX_PIXELS),
            Err(PictureProblem::Unreadable),
            "{end}"
        );
    }
}
