//! Pins the library in memory once it has been used: its threads and thread-locals do not survive an unload, and a
//! host may call FreeLibrary while they run. On Linux the linker's `nodelete` does the same.

#[cfg(windows)]
mod system {
    use std::ffi::{c_int, c_void};
    use std::ptr;

    const GET_MODULE_HANDLE_EX_FLAG_PIN: u32 = 1;
    const GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS: u32 = 4;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> c_int;
    }

    /// An address inside this library.
    static HERE: u8 = 0;

    pub(crate) fn pin() {
        let mut module = ptr::null_mut();
        let flags = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
        // SAFETY: the address is only compared, and `module` is written during the call. If it fails, the host must
        // not unload the library, as before this call.
        unsafe { GetModuleHandleExW(flags, (&raw const HERE).cast(), &raw mut module) };
    }
}

#[cfg(not(windows))]
mod system {
    pub(crate) fn pin() {}
}

pub(crate) use system::pin;
