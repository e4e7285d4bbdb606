//! Where libjpeg's bytes come from: a source manager that says when it runs dry, instead of inventing an
//! end of image as the library's own does. Pillow raises in that very case, or, asked to load truncated
//! images, hands out an end of image once; so does this.
//!
//! Part of the room with C in it.

use std::ffi::{c_int, c_long};

use mozjpeg_sys as sys;

use crate::decode::jpeg::markers::{ends_scan, next_end_of_scan};

const END: [u8; 2] = [0xff, 0xd9];

/// libjpeg's fields and, after them, our own.
#[repr(C)]
pub(super) struct SourceManager {
    pub fields: sys::jpeg_source_mgr,
    /// More bytes were asked for than there are.
    pub starved: bool,
    /// An end of image may still be handed out after the bytes.
    pub pad: bool,
    /// Bytes still to be passed over when more of them come.
    owed: usize,
}

impl SourceManager {
    /// A manager of `bytes`, which must outlive every call into the library.
    pub fn new(bytes: &[u8]) -> Self {
        let fields = sys::jpeg_source_mgr {
            next_input_byte: bytes.as_ptr(),
            bytes_in_buffer: bytes.len(),
            init_source: Some(nothing),
            fill_input_buffer: Some(fill),
            skip_input_data: Some(skip),
            resync_to_restart: Some(sys::jpeg_resync_to_restart),
            term_source: Some(nothing),
        };
        Self { fields, starved: false, pad: false, owed: 0 }
    }

    /// The marker that ends the scan: the one that the library has just run into, or the next one.
    pub fn marker_ahead(&self, bytes: &[u8]) -> Option<u8> {
        let (consumed, rest) = bytes.split_at(bytes.len() - self.fields.bytes_in_buffer);
        match consumed {
            [.., 0xff, marker] if ends_scan(*marker) => Some(*marker),
            _ => next_end_of_scan(rest),
        }
    }
}

extern "C-unwind" fn nothing(_info: &mut sys::jpeg_decompress_struct) {}

extern "C-unwind" fn fill(info: &mut sys::jpeg_decompress_struct) -> sys::boolean {
    // SAFETY: `src` is the first field of a live `SourceManager` of ours.
    let manager = unsafe { &mut *info.src.cast::<SourceManager>() };
    if !std::mem::take(&mut manager.pad) || manager.owed >= END.len() {
        manager.starved = true;
        return 0;
    }
    let rest: &'static [u8] = &END[manager.owed..];
    manager.fields.next_input_byte = rest.as_ptr();
    manager.fields.bytes_in_buffer = rest.len();
    c_int::from(true)
}

extern "C-unwind" fn skip(info: &mut sys::jpeg_decompress_struct, count: c_long) {
    // SAFETY: `src` is the first field of a live `SourceManager` of ours; the pointer moves within its bytes.
    unsafe {
        let manager = &mut *info.src.cast::<SourceManager>();
        let count = usize::try_from(count).unwrap_or(0);
        let here = count.min(manager.fields.bytes_in_buffer);
        manager.fields.next_input_byte = manager.fields.next_input_byte.add(here);
        manager.fields.bytes_in_buffer -= here;
        manager.owed = count - here;
        manager.starved |= manager.owed > 0 && !manager.pad;
    }
}
