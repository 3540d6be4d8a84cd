use super::ImpersonationLevel;
use windows_sys::Win32::Storage::FileSystem::{
    SECURITY_ANONYMOUS, SECURITY_CONTEXT_TRACKING, SECURITY_DELEGATION, SECURITY_EFFECTIVE_ONLY,
    SECURITY_IDENTIFICATION, SECURITY_IMPERSONATION,
};

/// What a server may do with who its client is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecurityQuality {
    pub(crate) level: ImpersonationLevel,
    pub(crate) is_dynamic: bool,
    pub(crate) is_effective_only: bool,
}

impl SecurityQuality {
    /// For `CreateFileW`, beside `SECURITY_SQOS_PRESENT`.
    pub(crate) fn flags(self) -> u32 {
        let level = match self.level {
            ImpersonationLevel::Anonymous => SECURITY_ANONYMOUS,
            ImpersonationLevel::Identification => SECURITY_IDENTIFICATION,
            ImpersonationLevel::Impersonation => SECURITY_IMPERSONATION,
            ImpersonationLevel::Delegation => SECURITY_DELEGATION,
        };
        let tracking = if self.is_dynamic { SECURITY_CONTEXT_TRACKING } else { 0 };
        let effective = if self.is_effective_only { SECURITY_EFFECTIVE_ONLY } else { 0 };
        level | tracking | effective
    }
}
