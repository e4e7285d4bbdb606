//! Puts our reader of scans in the place of libjpeg's own.
//!
//! Part of the room with C in it. libjpeg calls its entropy decoder through a pointer (`jpegint.h`, unchanged
//! since its version 6), once for each MCU; the rest of the library neither knows nor cares who fills the
//! blocks.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::mem::{offset_of, size_of};

use mozjpeg_sys as sys;

use super::fault::unwind_with;
use super::feed::Feed;
use super::header;
use super::scan::{Block, Coding, Scan};

/// `struct jpeg_entropy_decoder`.
#[repr(C)]
struct EntropyDecoder {
    start_pass: *const c_void,
    decode_mcu:
        unsafe extern "C-unwind" fn(*mut sys::jpeg_decompress_struct, *const *mut Block) -> sys::boolean,
    insufficient_data: sys::boolean,
}

/// Where the pointer to it is: there are four more pointers behind it, which the bindings keep private.
const ENTROPY: usize = size_of::<sys::jpeg_decompress_struct>() - 5 * size_of::<*const c_void>();

/// Whether the structs are laid out as they are here: libjpeg-turbo's, with the ABI of libjpeg 6.2.
const FITS: bool = size_of::<sys::jpeg_decompress_struct>() == 632
    && offset_of!(sys::jpeg_decompress_struct, max_v_samp_factor) == 412;
// Another version of the bindings has to be looked at.
const _: () = assert!(FITS || size_of::<*const c_void>() != 8);

/// The scan whose data begin at `at`, if it is one that our reader takes: sequential, coded by Huffman, with
/// all of the file's `components`. Where only the file's beginning is held, `file` has the rest.
pub(super) fn scan_of<'a>(
    bytes: &'a [u8],
    file: Option<&'a File>,
    at: usize,
    components: &[sys::jpeg_component_info],
) -> Option<Scan<'a>> {
    if !FITS || header::arithmetic(bytes) {
        return None;
    }
    let header = header::scan_header(bytes)?;
    let ids = header.components.as_chunks::<2>().0;
    if header.data != at || ids.len() != components.len() {
        return None;
    }
    let mut blocks = Vec::new();
    for [id, tables] in ids {
        let mut named = components.iter().filter(|component| component.component_id == c_int::from(*id));
        let (component, None) = (named.next()?, named.next()) else { return None };
        // The MCU of a single component is a block.
        let factors = component.h_samp_factor * component.v_samp_factor;
        let count = if components.len() == 1 { 1 } else { factors };
        let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
        let coding = Coding { component: component.component_index as usize, dc, ac };
        if coding.component.max(dc).max(ac) > 3 {
            return None;
        }
        blocks.extend(std::iter::repeat_n(coding, count as usize));
    }
    Some(Scan::new(Feed::new(bytes, at, file), blocks, header.dc, header.ac, header.restart_interval))
}

/// A scan that libjpeg reads through us.
pub(super) struct Hooked<'a> {
    pub scan: Scan<'a>,
    pub irregular: bool,
}

impl<'a> Hooked<'a> {
    pub fn new(scan: Scan<'a>) -> Self {
        Self { scan, irregular: false }
    }

    /// Has `info` read its scan through `hooked`.
    ///
    /// # Safety
    /// Decompression of a sequential Huffman-coded file has been started and no row been read; an MCU has
    /// as many blocks as the scan says; its source points into `bytes`; `hooked` outlives every call into the
    /// library, and is not used during one.
    pub unsafe fn install(hooked: *mut Self, info: *mut sys::jpeg_decompress_struct) {
        // SAFETY: the struct ends with five pointers, as asserted above, of which the first is that to the
        // entropy decoder that `jpeg_start_decompress` has made.
        unsafe {
            let entropy = info.byte_add(ENTROPY).cast::<*mut EntropyDecoder>().read();
            (*info).common.client_data = hooked.cast();
            (*entropy).decode_mcu = decode_mcu;
        }
    }
}

unsafe extern "C-unwind" fn decode_mcu(
    info: *mut sys::jpeg_decompress_struct,
    blocks: *const *mut Block,
) -> sys::boolean {
    // SAFETY: `install` put a pointer there that is good for this; the lifetime is only shorter.
    let hooked = unsafe { &mut *(*info).common.client_data.cast::<Hooked<'_>>() };
    let done = hooked.scan.mcu(|i| {
        // SAFETY: libjpeg hands out as many zeroed blocks as an MCU has, each of its own, or no pointer where
        // the coefficients are not wanted.
        unsafe { if blocks.is_null() { None } else { Some(&mut **blocks.add(i)) } }
    });
    if done.is_err() {
        hooked.irregular = true;
        unwind_with("an irregular scan".into());
    }
    if let Some(rest) = hooked.scan.rest() {
        // SAFETY: the source is live, and points into the file's bytes before and after.
        unsafe {
            (*(*info).src).next_input_byte = rest.as_ptr();
            (*(*info).src).bytes_in_buffer = rest.len();
        }
    }
    c_int::from(true)
}
