//! Leaving libjpeg with a fault: its error callback must not return, so ours unwinds.
//!
//! Part of the room with C in it.

use std::ffi::c_int;
use std::panic::resume_unwind;

use mozjpeg_sys as sys;

use crate::interrupt;

/// What is unwound with.
pub(super) struct Fault(pub String);

/// What our progress monitor unwinds with.
pub(super) struct Interrupted;

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
    unwind_with(String::from_utf8_lossy(text).into_owned())
}

/// Leaves the library with a fault, which [`Decoder::call`] catches.
pub(super) fn unwind_with(fault: String) -> ! {
    resume_unwind(Box::new(Fault(fault)))
}

/// Called for every row of iMCUs and every few rows of pixels.
pub(super) unsafe extern "C-unwind" fn monitor(_info: &mut sys::jpeg_common_struct) {
    if interrupt::check().is_err() {
        resume_unwind(Box::new(Interrupted));
    }
}

pub(super) extern "C-unwind" fn ignore_message(_info: &mut sys::jpeg_common_struct, _level: c_int) {}
