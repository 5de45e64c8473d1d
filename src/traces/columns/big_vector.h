// BigVector: a vector whose memory, where there is much of it, comes in huge pages if the system
// gives them: half of the time to fill 300 MB otherwise goes into faults of 4 KiB pages. Room that
// is reserved and not used takes no memory.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace llama::traces {

inline constexpr size_t kHugePageBytes = size_t{2} << 20;

inline void* AllocateBig(size_t bytes) {
  if (bytes < kHugePageBytes) return ::operator new(bytes);
  const size_t rounded = (bytes + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
  void* memory = ::operator new (rounded, std::align_val_t{kHugePageBytes});
  madvise(memory, rounded, MADV_HUGEPAGE);  // a wish: without it all works, slower
  return memory;
}

inline void FreeBig(void* memory, size_t bytes) {
  if (bytes < kHugePageBytes) return ::operator delete(memory);
  ::operator delete (memory, std::align_val_t{kHugePageBytes});
}

template <typename T>
struct BigAllocator {
  using value_type = T;
  BigAllocator() = default;
  template <typename U>
  BigAllocator(const BigAllocator<U>&) {}  // NOLINT: allocators convert

  T* allocate(size_t n) {
    if (n > SIZE_MAX / 2 / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(AllocateBig(n * sizeof(T)));
  }
  void deallocate(T* memory, size_t n) { FreeBig(memory, n * sizeof(T)); }
  // resize() leaves new numbers as they are: whoever asks for a size is about to fill it.
  template <typename U, typename... Args>
  void construct(U* at, Args&&... args) {
    if constexpr (sizeof...(Args) == 0) {
      ::new (static_cast<void*>(at)) U;
    } else {
      ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
    }
  }
  friend bool operator==(const BigAllocator&, const BigAllocator&) { return true; }
};

template <typename T>
using BigVector = std::vector<T, BigAllocator<T>>;

}  // namespace llama::traces
