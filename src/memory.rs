//! The allocator's settings.

/// Lets the process keep freed memory instead of giving it back to the system after every large tensor.
///
/// Each training step frees and takes the same tensors again; to map and clear their pages anew costs a fifth of a MAML step.
/// Only glibc has these settings; elsewhere nothing changes.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt only sets two parameters of the allocator, under its own lock.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20); // the largest that glibc takes
        libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 30);
    }
}
