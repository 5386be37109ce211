//! The process's memory: the allocator's settings, and what is used and free.

use std::{fs, path::Path};

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

/// The most memory this process has had at once, in bytes, where the system tells.
pub fn peak() -> Option<u64> {
    kilobytes("/proc/self/status", "VmHWM:")
}

/// The memory that is free for programs, in bytes, where the system tells: the machine's, or what is left of a container's limit.
pub fn available() -> Option<u64> {
    let machine = kilobytes("/proc/meminfo", "MemAvailable:")?;
    Some(container(Path::new("/sys/fs/cgroup")).map_or(machine, |left| left.min(machine)))
}

/// What a container may still take, by the files of its control group, version 2 or 1; `None` without a limit.
///
/// Files that are cached but not in use count as used there, and are given up when memory is short.
fn container(root: &Path) -> Option<u64> {
    let left = |folder: &Path, limit: &str, used: &str, cached: &str| {
        let number = |file| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
        let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
        let cache = stat.lines().find_map(|line| line.strip_prefix(cached)?.trim().parse::<u64>().ok());
        Some((number(limit)? + cache.unwrap_or(0)).saturating_sub(number(used)?))
    };
    left(root, "memory.max", "memory.current", "inactive_file ").or_else(|| {
        let folder = root.join("memory");
        left(&folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ")
    })
}

/// A number of kB behind a key in a file of the kernel's, in bytes.
fn kilobytes(file: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_container_may_take_what_its_limit_leaves() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).expect("written");
        assert_eq!(container(root.path()), None);
        fs::create_dir(root.path().join("memory")).expect("made");
        write("memory/memory.limit_in_bytes", "1000\n");
        write("memory/memory.usage_in_bytes", "700\n");
        write("memory/memory.stat", "cache 9\ntotal_inactive_file 100\n");
        assert_eq!(container(root.path()), Some(400));
        write("memory.current", "5000");
        write("memory.stat", "anon 1\ninactive_file 2000\n");
        write("memory.max", "max");
        assert_eq!(container(root.path()), Some(400));
        write("memory.max", "4000");
        assert_eq!(container(root.path()), Some(1000));
    }

    #[test]
    fn linux_tells_what_is_used_and_free() {
        let before = peak().expect("a peak");
        let block = vec![1u8; 64 << 20];
        assert!(block.iter().map(|&byte| u64::from(byte)).sum::<u64>() == 64 << 20);
        assert!(peak().expect("a peak") >= before.max(64 << 20));
        assert!(available().expect("free memory") > 0);
    }
}
