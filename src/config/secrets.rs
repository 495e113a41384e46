//! Secrets that are not configured: made at the first start, kept in the data folder.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{Config, ConfigError};
use crate::secret::Secret;

const FILE: &str = "secrets.toml";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    secret_key: String,
    token_secret: String,
    encryption_key: String,
}

/// Fills in the secrets that are missing.
pub(super) fn complete(config: &mut Config) -> Result<(), ConfigError> {
    let auth = &mut config.auth;
    let mut fields = [
        &mut auth.secret_key,
        &mut auth.token_secret,
        &mut auth.encryption_key,
    ];
    if fields.iter().all(|secret| !secret.expose().is_empty()) {
        return Ok(());
    }
    let found = if config.database.is_postgres() {
        // Nodes share no folder: what is missing follows from the one secret that they do share.
        derived(fields[0].expose())
    } else {
        let path = config.server.data_dir.join(FILE);
        read_or_make(&config.server.data_dir, &path)
            .map_err(|error| ConfigError::one(format!("{}: {error}", path.display())))?
    };
    let values = [found.secret_key, found.token_secret, found.encryption_key];
    for (field, value) in fields.iter_mut().zip(values) {
        if field.expose().is_empty() {
            **field = Secret::new(value);
        }
    }
    Ok(())
}

fn derived(key: &str) -> Secrets {
    let derive = |purpose: &str| {
        let mac =
            Hmac::<Sha256>::new_from_slice(key.as_bytes()).map(|mac| mac.chain_update(purpose));
        mac.map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
            .unwrap_or_default()
    };
    Secrets {
        secret_key: key.to_owned(),
        token_secret: derive("token_secret"),
        encryption_key: derive("encryption_key"),
    }
}

fn read_or_make(folder: &Path, path: &Path) -> Result<Secrets, String> {
    if !path.exists() {
        make(folder, path).map_err(|error| format!("cannot be written: {error}"))?;
    }
    let text = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    // The error of the parser would show a line of the file.
    toml::from_str(&text).map_err(|_| {
        "is damaged: restore it from a backup, or delete it and everyone signs in anew".into()
    })
}

/// Writes the file whole or not at all; one that another process has just made stays.
fn make(folder: &Path, path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let random = || URL_SAFE_NO_PAD.encode(rand::random::<[u8; 48]>());
    let secrets = Secrets {
        secret_key: random(),
        token_secret: random(),
        encryption_key: random(),
    };
    let text = toml::to_string(&secrets).map_err(std::io::Error::other)?;
    let temporary = folder.join(format!("{FILE}.{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(b"# Made at the first start. Keep it secret, and keep it with the data.\n")?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
