#include "emulator/sandbox/seccomp.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace llama::emulator {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the emulator's filter knows x86_64 and aarch64"
#endif

constexpr uint32_t kX32Bit = 0x4000'0000;
constexpr uint32_t kNamespaces =
    static_cast<uint32_t>(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                          CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET);
// For unshare alone: in clone's flags the bit is part of a signal's number.
constexpr uint32_t kNewTime = 0x80;

constexpr uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}
// Skips `yes` statements if A == k, otherwise `no`.
sock_filter IfEqual(uint32_t k, uint8_t yes, uint8_t no) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no);
}
sock_filter IfAnyBit(uint32_t k, uint8_t yes, uint8_t no) {
  return BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, k, yes, no);
}
sock_filter Answer(uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }

// The low half of the first argument; both kinds of machine are little-endian.
constexpr size_t kFirstArgument = offsetof(seccomp_data, args);

}  // namespace

std::vector<sock_filter> LambdaFilter() {
  std::vector<sock_filter> f = {Load(offsetof(seccomp_data, arch)), IfEqual(kArchitecture, 1, 0),
                                Answer(kEperm), Load(offsetof(seccomp_data, nr))};
#if defined(__x86_64__)
  f.insert(f.end(), {IfAnyBit(kX32Bit, 0, 1), Answer(kEperm)});
#endif
  for (const long number :
       {SYS_ptrace, SYS_chroot, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_open_tree,
        SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr}) {
    f.insert(f.end(), {IfEqual(static_cast<uint32_t>(number), 0, 1), Answer(kEperm)});
  }
  f.insert(f.end(), {IfEqual(SYS_clone3, 0, 1), Answer(kEnosys)});
  f.insert(f.end(),
           {IfEqual(SYS_unshare, 0, 4), Load(kFirstArgument),
            IfAnyBit(kNamespaces | kNewTime, 0, 1), Answer(kEperm), Answer(SECCOMP_RET_ALLOW)});
  f.insert(f.end(), {IfEqual(SYS_clone, 0, 4), Load(kFirstArgument), IfAnyBit(kNamespaces, 0, 1),
                     Answer(kEperm), Answer(SECCOMP_RET_ALLOW), Answer(SECCOMP_RET_ALLOW)});
  return f;
}

}  // namespace llama::emulator
