// What Lambda's kernel doesn't let a function do, as a seccomp filter: EPERM for ptrace, chroot,
// mounting and new namespaces; clone3 isn't there (ENOSYS), since a filter can't see its flags and
// libcs then use clone.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace llama::emulator {

std::vector<sock_filter> LambdaFilter();

}  // namespace llama::emulator
