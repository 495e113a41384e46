//! Responses that are sent as they are: a file is not compressed again for each download, and a part
//! of one cannot be.

use axum::http::{Extensions, HeaderMap, StatusCode, Version};

/// Marks a response, in its extensions, as one that is not compressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verbatim;

/// The predicate of the compression: true for responses without the mark.
pub(super) fn is_not_verbatim(
    _: StatusCode,
    _: Version,
    _: &HeaderMap,
    extensions: &Extensions,
) -> bool {
    extensions.get::<Verbatim>().is_none()
}
