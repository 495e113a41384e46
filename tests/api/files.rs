//! Uploading, handing out, and removing files.

mod claims;
mod download;
mod forms;
mod hostile;
mod reclaim;
mod resumable;
mod s3;
mod thumbnails;
mod upload;
