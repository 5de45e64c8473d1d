#include "compiler/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/process.h"

namespace llama::compiler {
namespace {

constexpr int64_t kLoaderTimeoutMs = 10'000;
constexpr size_t kMaxInterpreterBytes = 4096;
constexpr int kMaxHeaders = 128;

Result<void> ReadAt(const Fd& fd, off_t offset, void* into, size_t size, const std::string& path) {
  const ssize_t n = pread(fd.get(), into, size, offset);
  if (n < 0) return ErrnoError(errno, path);
  if (static_cast<size_t>(n) != size) return Error{Code::kInvalid, path + ": not an ELF program"};
  return {};
}

}  // namespace

Result<ElfProgram> ReadElfProgram(const std::string& path) {
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
  Elf64_Ehdr header{};
  TRY(ReadAt(fd, 0, &header, sizeof header, path));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return Error{Code::kInvalid, path + ": not an ELF program"};
  }
  ElfProgram program;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return Error{Code::kInvalid, path + ": not a 64-bit program"};
  }
  program.is_x86_64 = header.e_machine == EM_X86_64;
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxHeaders) {
    return Error{Code::kInvalid, path + ": damaged program headers"};
  }
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const uint64_t offset = header.e_phoff + static_cast<uint64_t>(i) * sizeof segment;
    TRY(ReadAt(fd, static_cast<off_t>(offset), &segment, sizeof segment, path));
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_filesz == 0 || segment.p_filesz > kMaxInterpreterBytes) {
      return Error{Code::kInvalid, path + ": damaged PT_INTERP"};
    }
    std::string name(segment.p_filesz, '\0');
    TRY(ReadAt(fd, static_cast<off_t>(segment.p_offset), name.data(), name.size(), path));
    program.interpreter = name.c_str();
  }
  return program;
}

Result<bool> HoldsWord(const std::string& path, std::string_view word) {
  constexpr size_t kChunkBytes = 1 << 20;
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
  std::string chunk(kChunkBytes, '\0');
  size_t kept = 0;
  for (;;) {
    const ssize_t n = ::read(fd.get(), chunk.data() + kept, chunk.size() - kept);
    if (n < 0) return ErrnoError(errno, path);
    if (n == 0) return false;
    const std::string_view text(chunk.data(), kept + static_cast<size_t>(n));
    if (text.find(word) != text.npos) return true;
    kept = std::min(text.size(), word.size() - 1);
    chunk.replace(0, kept, text.substr(text.size() - kept));
  }
}

Result<std::vector<std::string>> ListLibraries(const std::string& path,
                                               const std::string& interpreter,
                                               const std::vector<std::string>& env) {
  ProcessOptions options;
  options.program = interpreter;
  options.argv = {interpreter, "--list", path};
  options.env = env;
  options.timeout_ms = kLoaderTimeoutMs;
  options.max_output_bytes = 1u << 20;
  ASSIGN_OR_RETURN(const ProcessResult result, RunProcess(options));
  std::vector<std::string> out;
  // "\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f…)"; the loader itself and the vdso
  // have no arrow.
  if (result.ExitCode() != 0) {
    // "statically linked": a static-pie program.
    if (result.out.find("statically linked") != std::string::npos) return out;
    return Error{Code::kInvalid, path + ": its loader can't list its libraries: " + result.err};
  }
  for (size_t i = 0; i < result.out.size();) {
    const size_t end = std::min(result.out.find('\n', i), result.out.size());
    const std::string_view line = std::string_view(result.out).substr(i, end - i);
    i = end + 1;
    const size_t arrow = line.find(" => ");
    if (arrow == line.npos) continue;
    const size_t address = line.rfind(" (0x");
    if (address == line.npos || address < arrow + 4) {
      return Error{Code::kInvalid, path + ": a library is missing: " + std::string(line)};
    }
    const std::string_view library = line.substr(arrow + 4, address - arrow - 4);
    if (library.starts_with('/') && library != interpreter) out.emplace_back(library);
  }
  return out;
}

}  // namespace llama::compiler
