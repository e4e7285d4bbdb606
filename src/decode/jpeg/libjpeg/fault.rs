//! Leaving libjpeg with a fault: its callbacks must not return with one, so ours unwind.
//!
//! Part of the room with C in it.

use std::ffi::c_int;
use std::panic::resume_unwind;

use mozjpeg_sys as sys;

use crate::interrupt;

/// The reason why the library stopped.
pub(super) enum Fault {
    /// The library's own message.
    Decode(String),
    /// So many scans have begun, which is more than allowed.
    Scans(u64),
    Interrupted,
}

/// libjpeg's progress monitor and, after it, what it must know.
#[repr(C)]
pub(super) struct Progress {
    pub manager: sys::jpeg_progress_mgr,
    pub max_scans: u64,
}

pub(super) extern "C-unwind" fn error_exit(info: &mut sys::jpeg_common_struct) {
    type Format = unsafe extern "C-unwind" fn(*mut sys::jpeg_common_struct, *mut u8);
    // JMSG_LENGTH_MAX; the crate declares 80, which is less than the library may write.
    let mut buffer = [0_u8; 200];
    // SAFETY: `jpeg_std_error` set the method, whose C signature is that of `Format`; it writes a
    // string of at most 200 bytes.
    unsafe {
        let format = (*info.err).format_message.expect("set by jpeg_std_error");
        let format = std::mem::transmute::<*const (), Format>(format as *const ());
        format(info, buffer.as_mut_ptr());
    }
    let text = buffer.split(|&byte| byte == 0).next().unwrap_or_default();
    unwind_with(Fault::Decode(String::from_utf8_lossy(text).into_owned()))
}

/// Leaves the library with a fault, which [`Decoder::call`](super::Decoder) catches.
pub(super) fn unwind_with(fault: Fault) -> ! {
    resume_unwind(Box::new(fault))
}

/// Called for every row of iMCUs of every scan, and every few rows of pixels.
pub(super) unsafe extern "C-unwind" fn monitor(info: &mut sys::jpeg_common_struct) {
    if interrupt::check().is_err() {
        unwind_with(Fault::Interrupted);
    }
    // SAFETY: only structs for decompression, whose first fields are those of `info`, have this monitor, which is
    // the first field of a live `Progress`.
    let (scans, max_scans) = unsafe {
        let info = std::ptr::from_mut(info).cast::<sys::jpeg_decompress_struct>();
        ((*info).input_scan_number, (*(*info).common.progress.cast::<Progress>()).max_scans)
    };
    let scans = u64::try_from(scans).unwrap_or(u64::MAX);
    if scans > max_scans {
        unwind_with(Fault::Scans(scans));
    }
}

pub(super) extern "C-unwind" fn ignore_message(_info: &mut sys::jpeg_common_struct, _level: c_int) {}
