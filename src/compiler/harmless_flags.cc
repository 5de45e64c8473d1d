#include <algorithm>
#include <array>
#include <string_view>

#include "compiler/options.h"

namespace llama::compiler {
namespace {

// Taken from `gcc --help=common,optimizers,c,c++,target` of gcc 12, from the names that its
// cc1plus still accepts for older versions, and from `clang --help-hidden` of clang 14; without
// those that name a file, write one, dump or report, depend on the machine, or belong to another
// language. "no-" is left out. Adjacent names are separated by one space.
constexpr std::string_view kNames =
    "PIC PIE aapcs-bitfield-load aapcs-bitfield-width abi-compat-version= abi-version "
    "abi-version= access-control addrsig aggressive-loop-optimizations align-functions "
    "align-functions= align-jumps align-jumps= align-labels align-labels= align-loops "
    "align-loops= aligned-allocation aligned-new aligned-new= allocation-dce "
    "allow-parameterless-variadic-functions allow-store-data-races analyzer "
    "analyzer-call-summaries analyzer-checker= analyzer-feasibility analyzer-fine-grained "
    "analyzer-show-duplicate-count analyzer-state-merge analyzer-state-purge "
    "analyzer-transitivity analyzer-verbose-edges analyzer-verbose-state-changes "
    "analyzer-verbosity= approx-func asm associative-math assume-sane-operator-new "
    "async-exceptions asynchronous-unwind-tables auto-inc-dec binutils-version= bit-tests blocks "
    "borland-extensions branch-count-reg branch-target-load-optimize "
    "branch-target-load-optimize2 btr-bb-exclusive builtin c++-abi= c++-static-destructors "
    "caller-saves canonical-system-headers caret-diagnostics cf-protection cf-protection= "
    "char8_t check-new clang-abi-compat= code-hoisting combine-stack-adjustments "
    "comment-block-commands= common compare-elim complete-member-pointers concepts "
    "concepts-diagnostics-depth= concepts-ts cond-mismatch conserve-stack constexpr-cache-depth= "
    "constexpr-depth= constexpr-fp-except constexpr-loop-limit= constexpr-ops-limit= "
    "convergent-functions coroutines coroutines-ts cprop-registers crossjumping cse-follow-jumps "
    "cse-skip-blocks cx-limited-range cxx-exceptions data-sections dce debug-default-version= "
    "debug-info-for-profiling debug-macro debug-ranges-base-address debug-types-section "
    "deduce-init-list defer-pop delayed-branch delayed-template-parsing delete-dead-exceptions "
    "delete-null-pointer-checks devirtualize devirtualize-at-ltrans devirtualize-speculatively "
    "diagnostics-column-origin= diagnostics-column-unit= diagnostics-escape-format= "
    "diagnostics-fixit-info diagnostics-hotness-threshold= diagnostics-minimum-margin-width= "
    "diagnostics-parseable-fixits diagnostics-path-format= diagnostics-print-source-range-info "
    "diagnostics-show-caret diagnostics-show-cwe diagnostics-show-hotness "
    "diagnostics-show-labels diagnostics-show-line-numbers diagnostics-show-location= "
    "diagnostics-show-note-include-stack diagnostics-show-option diagnostics-show-path-depths "
    "diagnostics-show-template-tree diagnostics-urls= digraphs direct-access-external-data "
    "discard-value-names dollars-in-identifiers double-square-bracket-attributes dse "
    "dwarf-exceptions dwarf2-cfi-asm early-inlining elide-constructors elide-type "
    "eliminate-dwarf2-dups eliminate-unused-debug-symbols eliminate-unused-debug-types "
    "emit-all-decls emit-class-debug-always emit-struct-debug-baseonly "
    "emit-struct-debug-detailed= emit-struct-debug-reduced emulated-tls enable-matrix "
    "enforce-eh-specs error-limit= exceptions excess-precision= expensive-optimizations "
    "ext-numeric-literals extend-arguments= extended-identifiers fast-math ffp-contract= "
    "fine-grained-bitfield-accesses finite-loops finite-math-only fixed-point float-store "
    "fold-simple-inlines for-scope force-addr force-dwarf-frame force-emit-vtables "
    "forward-propagate fp-contract= fp-exception-behavior= fp-int-builtin-inexact fp-model= "
    "freestanding friend-injection fuchsia-api-level= function-cse function-sections gcse "
    "gcse-after-reload gcse-las gcse-lm gcse-sm global-isel gnu-inline-asm gnu-keywords gnu-tm "
    "gnu-unique gnu89-inline gnuc-version= graphite graphite-identity guess-branch-probability "
    "harden-compares harden-conditional-branches hoist-adjacent-loads hosted huge-objects ident "
    "if-conversion if-conversion2 ignore-unknown-pragmas implement-inlines implicit-constexpr "
    "implicit-inline-templates implicit-templates indirect-inlining inhibit-size-directive "
    "inline inline-atomics inline-functions inline-functions-called-once inline-hint-functions "
    "inline-limit= inline-small-functions instrument-function-entry-bare instrument-functions "
    "instrument-functions-after-inlining instrument-functions-exclude-function-list= "
    "integer-4-byte-size ipa-bit-cp ipa-cp ipa-cp-alignment ipa-cp-clone ipa-icf "
    "ipa-icf-functions ipa-icf-variables ipa-matrix-reorg ipa-modref ipa-profile ipa-pta "
    "ipa-pure-const ipa-ra ipa-reference ipa-reference-addressable ipa-sra ipa-stack-alignment "
    "ipa-strict-aliasing ipa-struct-reorg ipa-vrp ira-algorithm= ira-hoist-pressure "
    "ira-loop-pressure ira-region= ira-share-save-slots ira-share-spill-slots "
    "isolate-erroneous-paths-attribute isolate-erroneous-paths-dereference ivopts jump-tables "
    "keep-gc-roots-live keep-inline-dllexport keep-inline-functions keep-static-consts "
    "keep-static-functions large-source-files lax-vector-conversions lax-vector-conversions= "
    "leading-underscore legacy-pass-manager lifetime-dse lifetime-dse= limit-function-alignment "
    "live-patching live-patching= live-range-shrinkage loop-block loop-flatten loop-interchange "
    "loop-nest-optimize loop-optimize loop-parallelize-all loop-strip-mine loop-unroll-and-jam "
    "lra-remat macro-backtrace-limit= math-errno max-errors= max-include-depth= max-tokens= "
    "max-type-align= merge-all-constants merge-constants merge-debug-strings merge-functions "
    "message-length= modulo-sched modulo-sched-allow-regmoves move-loop-invariants "
    "move-loop-stores ms-compatibility ms-compatibility-version= ms-extensions ms-hotpatch "
    "msc-version= new-abi new-alignment= new-infallible new-inheriting-ctors new-ttp-matching "
    "non-call-exceptions nothrow-opt omit-frame-pointer openmp openmp-enable-irbuilder "
    "openmp-extensions openmp-simd openmp= operator-names optimize-register-move "
    "optimize-sibling-calls optimize-strlen optional-diags pack-struct pack-struct= "
    "partial-inlining pascal-strings patchable-function-entry patchable-function-entry= "
    "pcc-struct-return peel-loops peephole peephole2 permissive permitted-flt-eval-methods= pic "
    "pie plan9-extensions plt predictive-commoning prefetch-loop-arrays pretty-templates "
    "printf-return-value profile-partial-training profile-reorder-functions profile-update= "
    "profile-values pseudo-probe-for-profiling random-seed random-seed= reciprocal-math ree "
    "reg-struct-return register-global-dtors-with-atexit regmove relaxed-template-template-args "
    "rename-registers reorder-blocks reorder-blocks-algorithm= reorder-blocks-and-partition "
    "reorder-functions reroll-loops rerun-cse-after-loop rerun-loop-opt "
    "reschedule-modulo-scheduled-loops rounding-math rtti sched-critical-path-heuristic "
    "sched-dep-count-heuristic sched-group-heuristic sched-interblock sched-last-insn-heuristic "
    "sched-pressure sched-rank-heuristic sched-spec sched-spec-insn-heuristic sched-spec-load "
    "sched-spec-load-dangerous sched-stalled-insns sched-stalled-insns-dep "
    "sched-stalled-insns-dep= sched-stalled-insns= sched2-use-superblocks sched2-use-traces "
    "schedule-fusion schedule-insns schedule-insns2 section-anchors seh-exceptions "
    "sel-sched-pipelining sel-sched-pipelining-outer-loops sel-sched-reschedule-pipelined "
    "selective-scheduling selective-scheduling2 semantic-interposition short-enums short-wchar "
    "show-column show-overloads= show-source-location shrink-wrap shrink-wrap-separate "
    "signaling-nans signed-bitfields signed-char signed-zeros simd-cost-model= "
    "single-precision-constant sized-deallocation sjlj-exceptions slp-vectorize spell-checking "
    "split-dwarf-inlining split-ivs-in-unroller split-loops split-machine-functions split-paths "
    "split-stack split-wide-types split-wide-types-early ssa-backprop ssa-phiopt sso-struct= "
    "stack-check stack-check= stack-clash-protection stack-limit stack-limit-register= "
    "stack-limit-symbol= stack-protector stack-protector-all stack-protector-explicit "
    "stack-protector-strong stack-reuse= standalone-debug stdarg-opt store-merging "
    "strength-reduce strict-aliasing strict-aliasing= strict-enums strict-flex-arrays "
    "strict-flex-arrays= strict-float-cast-overflow strict-overflow strict-prototype "
    "strict-return strict-volatile-bitfields strict-vtable-pointers strong-eval-order "
    "strong-eval-order= sync-libcalls tabstop= tail-call-workaround tail-call-workaround= "
    "template-backtrace-limit= template-depth= thread-jumps threadsafe-statics tls-model= "
    "toplevel-reorder tracer track-macro-expansion track-macro-expansion= trampolines "
    "trap-function= trapping-math trapv tree-bit-ccp tree-builtin-call-dce tree-ccp tree-ch "
    "tree-coalesce-inlined-vars tree-coalesce-vars tree-copy-prop tree-copyrename tree-cselim "
    "tree-dce tree-dominator-opts tree-dse tree-forwprop tree-fre tree-loop-distribute-patterns "
    "tree-loop-distribution tree-loop-if-convert tree-loop-if-convert-stores tree-loop-im "
    "tree-loop-ivcanon tree-loop-linear tree-loop-optimize tree-loop-vectorize tree-lrs "
    "tree-parallelize-loops= tree-partial-pre tree-phiprop tree-pre tree-pta tree-reassoc "
    "tree-salias tree-scev-cprop tree-sink tree-slp-vectorize tree-slsr tree-sra tree-store-ccp "
    "tree-store-copy-prop tree-switch-conversion tree-tail-merge tree-ter tree-vect-loop-version "
    "tree-vectorize tree-vrp trigraphs trivial-auto-var-init-stop-after= trivial-auto-var-init= "
    "unbounded-by-reference unconstrained-commons unique-basic-block-section-names "
    "unique-internal-linkage-names unique-section-names unit-at-a-time unroll-all-loops "
    "unroll-completely-grow-size unroll-loops unsafe-loop-optimizations "
    "unsafe-math-optimizations unsigned-bitfields unsigned-char unswitch-loops unwind-tables "
    "use-ctor-homing use-cxa-atexit use-cxa-get-exception-ptr use-init-array use-line-directives "
    "var-tracking var-tracking-assignments var-tracking-assignments-toggle var-tracking-uninit "
    "variable-expansion-in-unroller veclib= vect-cost-model vect-cost-model= vectorize "
    "verbose-asm version-loops-for-strides virtual-function-elimination visibility-dllexport= "
    "visibility-externs-dllimport= visibility-externs-nodllstorageclass= "
    "visibility-from-dllstorageclass visibility-global-new-delete-hidden "
    "visibility-inlines-hidden visibility-inlines-hidden-static-local-var visibility-ms-compat "
    "visibility-nodllstorageclass= visibility= vpt vtable-gc vtable-thunks wasm-exceptions weak "
    "web whole-program working-directory wrapv wrapv-pointer xl-pragma-pack zee "
    "zero-call-used-regs zero-call-used-regs= zero-initialized-in-bss ";

// Families with a free ending: -fno-builtin-malloc, -ffixed-r12.
constexpr auto kPrefixes = std::to_array<std::string_view>(
    {"builtin-", "fixed-", "call-used-", "call-saved-", "template-depth-"});

constexpr size_t Count() {
  return static_cast<size_t>(std::count(kNames.begin(), kNames.end(), ' '));
}

// Sorted at compile time, for the binary search.
constexpr std::array<std::string_view, Count()> kSorted = [] {
  std::array<std::string_view, Count()> names;
  size_t begin = 0;
  for (std::string_view& name : names) {
    const size_t end = kNames.find(' ', begin);
    name = kNames.substr(begin, end - begin);
    begin = end + 1;
  }
  std::sort(names.begin(), names.end());
  return names;
}();

}  // namespace

bool IsHarmlessFlag(std::string_view name) {
  if (std::binary_search(kSorted.begin(), kSorted.end(), name)) return true;
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    return name.starts_with(prefix) && name.find('=') == name.npos;
  });
}

}  // namespace llama::compiler
