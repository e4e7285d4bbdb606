//! The geometry of every size that torchvision's own functions were asked for.

use clipprep::pixels::{Header, Layout};
use clipprep::plan::Plan;
use clipprep::{Level, Spec};

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
