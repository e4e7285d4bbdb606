//! Sources through the whole library: paths, bytes, pixels, many of them, and work inside work.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clipprep::interrupt::Interrupt;
use clipprep::pixels::{Header, Image, Layout, RowBlock, Rows, Whole, Window};
use clipprep::{Error, LimitKind, Limits, Preprocess, Profile, Report, Result, Source, Spec};
use ndarray::Array3;

/// A grey picture of one level.
fn pgm(width: usize, height: usize, level: u8) -> Vec<u8> {
    let mut file = format!("P5 {width} {height} 255\n").into_bytes();
    file.resize(file.len() + width * height, level);
    file
}

fn small() -> Preprocess {
    Preprocess::new(Spec::openai(2))
}

#[test]
fn a_path_its_bytes_and_its_pixels_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    // The second is long enough to be read a piece at a time, were it a JPEG.
    for (width, height) in [(30, 20), (3000, 1500)] {
        let bytes = pgm(width, height, 7);
        std::fs::write(&path, &bytes).unwrap();
        let pixels = Array3::from_elem((height, width, 1), 7);
        for source in [Source::Path(&path), Source::Bytes(&bytes), Source::Pixels(pixels.view(), Layout::L)] {
            let mut out = [0_u8; 12];
            small().process(&source, &mut out).unwrap();
            assert_eq!(out, [7; 12], "{source:?}");
        }
    }
}

#[test]
fn a_batch_has_its_errors_by_index_and_their_rows_are_zero() {
    let good = pgm(30, 20, 9);
    let missing = std::path::Path::new("no/such/file");
    let sources: Vec<_> = (0..40)
        .map(|index| match index % 4 {
            0 => Source::Bytes(b"no image"),
            1 => Source::Path(missing),
            _ => Source::Bytes(&good),
        })
        .collect();
    for threads in [1, 3] {
        let mut out = vec![1_u8; 40 * 12];
        let threads = NonZeroUsize::new(threads).unwrap();
        let errors = small().process_batch(&sources, &mut out, threads, &Arc::default());
        let failed: Vec<_> = errors.iter().map(|(index, _)| *index).collect();
        assert_eq!(failed, (0..40).filter(|index| index % 4 < 2).collect::<Vec<_>>());
        assert!(errors.iter().all(|(index, error)| match index % 4 {
            0 => matches!(error, Error::Unsupported(_)),
            _ => matches!(error, Error::Io(_)),
        }));
        for (index, row) in out.chunks_exact(12).enumerate() {
            assert_eq!(row, [if index % 4 < 2 { 0 } else { 9 }; 12]);
        }
    }
}

#[test]
fn only_refused_bytes_fall_back() {
    let limits = Limits { max_bytes: Some(100), ..Limits::default() };
    let pre = Preprocess::new(Spec { limits, ..Spec::openai(2) });
    let fall_back = |bytes: &[u8]| {
        pre.process_or(&Source::Bytes(bytes), &mut [0_u8; 12], |refused, _| {
            assert_eq!(*refused.bytes, *bytes);
            Ok::<Option<Report>, Error>(None)
        })
    };
    assert!(fall_back(b"no image").unwrap().is_none());
    assert!(fall_back(&pgm(5, 5, 0)).unwrap().is_some());
    let found = fall_back(&[0; 101]).unwrap_err();
    assert!(matches!(found, Error::Limit { kind: LimitKind::Bytes, allowed: 100, found: 101 }));
}

#[test]
fn pixels_are_held_to_max_pixels_too() {
    let limits = Limits { max_pixels: Some(599), ..Limits::default() };
    let pre = Preprocess::new(Spec { limits, ..Spec::openai(2) });
    let pixels = Array3::zeros((20, 30, 3));
    let found = pre.process(&Source::Pixels(pixels.view(), Layout::Rgb), &mut [0_u8; 12]).unwrap_err();
    assert!(matches!(
        found,
        Error::Limit { kind: LimitKind::Pixels { width: 30, height: 20 }, found: 600, .. }
    ));
}

#[test]
fn who_is_asked_between_rows_may_process_an_image() {
    let picture = pgm(4000, 4000, 3);
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let interrupt = Arc::new(Interrupt::watching(move || {
        let mut out = [0_u8; 12];
        small().process_bytes(&pgm(500, 400, 5), &mut out).unwrap();
        assert_eq!(out, [5; 12]);
        counter.fetch_add(1, Ordering::Relaxed);
        false
    }));
    let mut out = [0_u8; 12];
    interrupt.during_watched(|| {
        while asked.load(Ordering::Relaxed) < 3 {
            small().process_bytes(&picture, &mut out).unwrap();
            assert_eq!(out, [3; 12]);
        }
    });
}

#[test]
fn a_fourth_byte_that_means_nothing_changes_nothing() {
    let pixels = |bytes: usize| -> Vec<u8> {
        (0..40 * 30).flat_map(|i| (0..bytes).map(move |byte| (i * i * 7 + byte * 91) as u8)).collect()
    };
    let image = |layout: Layout| Whole {
        header: Header { width: 40, height: 30, layout, palette: None },
        data: pixels(layout.bytes()),
    };
    // Resized, cropped alone, left as it is, padded after resizing, and padded alone.
    let sizes =
        [((17, 20), 24), ((20, 20), 30), ((30, 40), 30), ((50, 60), 20), ((50, 60), 30)].iter().flat_map(
            |&(size, edge)| [&Profile::OPENAI, &Profile::TIMM].map(|profile| (profile, size, (edge, edge))),
        );
    for (profile, size, resize_size) in sizes {
        let preprocess = Preprocess::new(Spec { profile, size, resize_size, ..Spec::openai(1) });
        let [rgb, rgbx] = [Layout::Rgb, Layout::Rgbx].map(|layout| {
            let mut tensor = vec![0.0_f32; preprocess.output_len()];
            preprocess.process_image(&mut image(layout), &mut tensor).unwrap();
            (tensor, preprocess.cropped(&mut image(layout)).unwrap().1)
        });
        assert!(rgb == rgbx, "{} {size:?} of {resize_size:?}", profile.name);
    }
}

/// An image whose rows fail at first, after some blocks of four.
struct SecondTime(Whole, usize);

/// Rows up to a number of blocks.
struct FirstBlocks<'a>(Box<dyn Rows + 'a>, usize);

impl Image for SecondTime {
    fn header(&self) -> &Header {
        self.0.header()
    }

    fn rows<'a>(&'a mut self, window: &Window) -> Result<Box<dyn Rows + 'a>> {
        self.0.rows(window)
    }

    fn with_rows(
        &mut self,
        window: &Window,
        read: &mut dyn FnMut(&mut dyn Rows) -> Result<()>,
    ) -> Result<()> {
        let blocks = self.1;
        assert!(read(&mut FirstBlocks(self.rows(window)?, blocks)).is_err());
        read(self.rows(window)?.as_mut())
    }
}

impl Rows for FirstBlocks<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        self.1 = self.1.checked_sub(1).ok_or(Error::Interrupted)?;
        self.0.next(count)
    }
}

#[test]
fn rows_that_are_read_anew_are_all_there_once() {
    let header = Header { width: 40, height: 60, layout: Layout::Rgb, palette: None };
    let data: Vec<u8> = (0..40 * 60 * 3).map(|i| (i * i * 7) as u8).collect();
    let image = || Whole { header: header.clone(), data: data.clone() };
    // Resized by both passes, cropped alone, padded.
    for (size, edge) in [(20, 24), (20, 40), (80, 50)] {
        let preprocess = Preprocess::new(Spec { resize_size: (edge, edge), ..Spec::openai(size) });
        let results = |image: &mut dyn Image| {
            let mut tensor = vec![0.0_f32; preprocess.output_len()];
            preprocess.process_image(image, &mut tensor).unwrap();
            (tensor, preprocess.cropped(image).unwrap().1)
        };
        let once = results(&mut image());
        for blocks in 0..5 {
            assert!(results(&mut SecondTime(image(), blocks)) == once, "{size} of {edge}, {blocks}");
        }
    }
}
