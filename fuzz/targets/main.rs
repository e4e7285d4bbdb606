//! Fuzz targets over the library, in one program, so that it is built and linked once. `CLIPPREP_FUZZ` names the target;
//! without it the program lists them. A panic anywhere is a finding: libFuzzer's hook aborts before the library can
//! turn it into an error.

#![no_main]

mod decoders;
mod pipeline;

use std::sync::LazyLock;

use clipprep::decode::{Format, Metadata, check_exif};
use clipprep::{Limits, Truncated};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Bounds that keep one input below some milliseconds.
const LIMITS: Limits = Limits {
    max_pixels: Some(1 << 18),
    max_bytes: Some(1 << 18),
    max_memory: Some(1 << 24),
    max_scans: Some(30),
    max_seconds: None,
};

type Check = Box<dyn Fn(&[u8]) -> Corpus + Send + Sync>;

/// Every target with its name. Each format has one by its row in the library's table.
fn targets() -> Vec<(String, Check)> {
    let of_all: [(&str, fn(&[u8]) -> Corpus); 8] = [
        ("strict", |data| pipeline::finite(data, Truncated::Error)),
        ("pad", |data| pipeline::finite(data, Truncated::Pad)),
        ("streamed", pipeline::streamed_is_held),
        ("levels", pipeline::levels_agree),
        ("jpeg-header", decoders::jpeg_header),
        ("jpeg-own", decoders::own_jpeg_is_libjpegs),
        ("webp-own", decoders::own_webp_is_libwebps),
        ("exif", exif),
    ];
    let of_all = of_all.into_iter().map(|(name, check)| (name.to_owned(), Box::new(check) as Check));
    let of_formats = Format::all().iter().map(|format| {
        let check = move |data: &[u8]| decoders::windows_are_parts(format, data);
        (format!("decode-{}", format.name().to_lowercase()), Box::new(check) as Check)
    });
    of_all.chain(of_formats).collect()
}

static TARGET: LazyLock<Check> = LazyLock::new(|| {
    let wanted = std::env::var("CLIPPREP_FUZZ").ok();
    let (names, mut checks): (Vec<_>, Vec<_>) = targets().into_iter().unzip();
    match names.iter().position(|name| Some(name) == wanted.as_ref()) {
        Some(at) => checks.swap_remove(at),
        None => {
            println!("{}", names.join("\n"));
            std::process::exit(wanted.is_some().into());
        }
    }
});

fuzz_target!(init: LazyLock::force(&TARGET), |data: &[u8]| -> Corpus { TARGET(data) });

/// An EXIF block is read the same with and without its prefix, and the same block as XMP does no harm.
fn exif(data: &[u8]) -> Corpus {
    let orientation = |exif: &[u8]| {
        let metadata = Metadata { exif: Some(exif.into()), xmp: None };
        metadata.orientation().map_err(|error| error.to_string())
    };
    // Of two prefixes the second is no header.
    if !data.starts_with(b"Exif\0\0") {
        let prefixed = [b"Exif\0\0", data].concat();
        assert_eq!(orientation(data), orientation(&prefixed));
        assert!(check_exif(data).is_ok() || check_exif(&prefixed).is_err());
    }
    let xmp = Metadata { exif: None, xmp: Some(data.into()) };
    assert!(xmp.orientation().is_ok());
    Corpus::Keep
}
