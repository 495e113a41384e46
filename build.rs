//! Builds the admin UI and the JavaScript client with npm into `OUT_DIR`, from where they are embedded.
//!
//! `SNACKBASE_SKIP_UI=1` leaves both out, for work on the server alone.

#![expect(clippy::expect_used, reason = "a build that cannot go on stops")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-env-changed=SNACKBASE_SKIP_UI");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!(
        "cargo:rerun-if-changed={}",
        root.join("clients/js/src").display()
    );
    let sources = root.join("admin-ui");
    for watched in [
        "src",
        "public",
        "index.html",
        "package.json",
        "package-lock.json",
        "openapi.json",
        "vite.config.ts",
        "scripts/client.js",
    ] {
        println!("cargo:rerun-if-changed={}", sources.join(watched).display());
    }
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let (out, client) = (out_dir.join("admin-ui"), out_dir.join("client"));
    fs::create_dir_all(&client).expect("OUT_DIR can be written");
    if env::var("SNACKBASE_SKIP_UI").is_ok_and(|value| value == "1") {
        fs::create_dir_all(&out).expect("OUT_DIR can be written");
        let page =
            "<!doctype html><title>SnackBase</title><p>This build was made without the admin UI.";
        fs::write(out.join("index.html"), page).expect("OUT_DIR can be written");
        return;
    }
    if newer(
        &sources.join("package-lock.json"),
        &sources.join("node_modules/.package-lock.json"),
    ) {
        npm(&sources, &["ci", "--no-audit", "--no-fund"]);
    }
    npm(
        &sources,
        &[
            "run",
            "build",
            "--",
            "--outDir",
            &out.to_string_lossy(),
            "--emptyOutDir",
        ],
    );
    npm(
        &sources,
        &["run", "build:client", "--", &client.to_string_lossy()],
    );
}

/// Whether `a` was changed after `b`, or `b` does not exist.
fn newer(a: &Path, b: &Path) -> bool {
    let modified = |path: &Path| {
        fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    modified(b).is_none_or(|b| modified(a).is_some_and(|a| a > b))
}

fn npm(folder: &Path, arguments: &[&str]) {
    let output = Command::new("npm").args(arguments).current_dir(folder).output().unwrap_or_else(|error| {
        panic!(
            "The admin UI is built with npm, which cannot be run ({error}). Install Node.js 20 or newer, \
             or set SNACKBASE_SKIP_UI=1 to build without the UI."
        )
    });
    assert!(
        output.status.success(),
        "`npm {}` failed in {}:\n{}\n{}",
        arguments.join(" "),
        folder.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
