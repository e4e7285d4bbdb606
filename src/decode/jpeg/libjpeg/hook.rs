//! Puts our reader of scans in the place of libjpeg's own.
//!
//! Part of the room with C in it. libjpeg calls its entropy decoder through a pointer (`jpegint.h`, unchanged
//! since its version 6), once for each MCU; the rest of the library neither knows nor cares who fills the
//! blocks.

use std::ffi::{c_int, c_void};
use std::mem::{offset_of, size_of};

use mozjpeg_sys as sys;

use super::fault::{Fault, unwind_with};
use crate::decode::jpeg::header::NATURAL;
use crate::decode::jpeg::scan::{Block, Scan};

/// `struct jpeg_entropy_decoder`.
#[repr(C)]
struct EntropyDecoder {
    start_pass: *const c_void,
    decode_mcu:
        unsafe extern "C-unwind" fn(*mut sys::jpeg_decompress_struct, *const *mut Block) -> sys::boolean,
    insufficient_data: sys::boolean,
}

/// Where the pointer to it is: there are four more pointers after it, which the bindings keep private.
const ENTROPY: usize = size_of::<sys::jpeg_decompress_struct>() - 5 * size_of::<*const c_void>();

/// Whether the structs are laid out as they are here: libjpeg-turbo's, with the ABI of libjpeg 6.2.
pub(super) const FITS: bool = size_of::<sys::jpeg_decompress_struct>() == 632
    && offset_of!(sys::jpeg_decompress_struct, max_v_samp_factor) == 412;
// Another version of the bindings has to be looked at.
const _: () = assert!(FITS || size_of::<*const c_void>() != 8);

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
    /// The structs [fit](FITS); decompression of a sequential file has been started and no row been read; `info` has the components and
    /// sampling factors by which `hooked` counts the blocks of an MCU; the source of `info` points into the bytes that `hooked` reads, unless that one reads a file; `hooked` outlives every call
    /// into the library, and is not used during one.
    pub unsafe fn install(hooked: *mut Self, info: *mut sys::jpeg_decompress_struct) {
        // SAFETY: live and not in use. The struct ends with five pointers, as asserted, of which the first is that
        // to the entropy decoder that `jpeg_start_decompress` has made.
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
    let done = hooked.scan.mcu(|i, coded| {
        if blocks.is_null() {
            return coded.read(|_, _| {});
        }
        // SAFETY: libjpeg hands out as many zeroed blocks as an MCU has, as the caller of `install` sees to, each of
        // its own, or no pointer where the coefficients are not wanted.
        let block = unsafe { &mut **blocks.add(i) };
        coded.read(|at, value| block[usize::from(NATURAL[at & 63])] = value)
    });
    if done.is_err() {
        hooked.irregular = true;
        unwind_with(Fault::Decode("an irregular scan".into()));
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
