//! The geometry of every size that torchvision's own functions were asked for.

use clipprep::pixels::{Header, Layout, Whole};
use clipprep::plan::Plan;
use clipprep::{Level, Preprocess, Profile, ResizeMode, Spec};

/// Rows of (w, h, n, nw, nh, left, top), from a NumPy file of 64-bit integers.
fn golden() -> Vec<[usize; 7]> {
    let file = include_bytes!("data/torchvision_geometry.npy");
    let header_len = usize::from(u16::from_le_bytes([file[8], file[9]]));
    let header = std::str::from_utf8(&file[10..10 + header_len]).unwrap();
    let width = if header.contains("'<i8'") { 8 } else { 4 };
    assert!(width == 8 || header.contains("'<i4'"), "{header}");
    assert!(header.contains("'fortran_order': False") && header.contains(", 7)"), "{header}");
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    file[10 + header_len..]
        .chunks_exact(7 * width)
        .map(|row| std::array::from_fn(|i| number(&row[i * width..][..width])))
        .collect()
}

#[test]
fn geometry_is_torchvisions() {
    let golden = golden();
    assert_eq!(golden.len(), 2725);
    for [width, height, n, nw, nh, left, top] in golden {
        let header = Header { width, height, layout: Layout::L, palette: None };
        let plan = Plan::new(&Spec::openai(n), &header, Level::Scalar).unwrap();
        let crop = (left as isize, top as isize);
        assert_eq!((plan.resized, plan.crop), ((nw, nh), crop), "{width} x {height} to {n}");
    }
}

#[test]
fn what_a_crop_lacks_is_put_around_the_image() {
    let header = Header { width: 9, height: 30, layout: Layout::L, palette: None };
    let spec =
        Spec { size: (15, 8), resize_mode: ResizeMode::Longest, resize_size: (15, 8), ..Spec::openai(1) };
    let plan = |profile| Plan::new(&Spec { profile, ..spec.clone() }, &header, Level::Scalar).unwrap();
    // 9 x 30 becomes 4.5 x 15, and Python rounds to even.
    assert_eq!((plan(&Profile::OPENAI).resized, plan(&Profile::OPENAI).crop), ((4, 15), (-2, 0)));
    let spec = Spec { resize_mode: ResizeMode::Keep, size: (10, 12), ..spec };
    let plan = |profile| Plan::new(&Spec { profile, ..spec.clone() }, &header, Level::Scalar).unwrap().crop;
    // A lack of 3: one before the image, or two in transformers on Pillow.
    assert_eq!(
        [&Profile::OPENAI, &Profile::HF_PIL, &Profile::HF_TORCHVISION].map(plan),
        [(-1, 10), (-2, 10), (-1, 10)]
    );
}

#[test]
fn padding_is_written_in_place() {
    let spec = Spec { size: (3, 4), resize_mode: ResizeMode::Keep, ..Spec::openai(1) };
    let preprocess = Preprocess::new(spec);
    let mut image =
        Whole { header: Header { width: 2, height: 1, layout: Layout::L, palette: None }, data: vec![7, 9] };
    let mut out = [1_u8; 36];
    preprocess.process_image(&mut image, &mut out).unwrap();
    assert_eq!(out, [[0, 0, 0, 0, 0, 7, 9, 0, 0, 0, 0, 0]; 3].concat()[..]);
}
