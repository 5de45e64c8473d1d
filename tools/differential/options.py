"""Options of gcc and clang by subject. Words of one entry are separated by a space.

"{o}" is where the object goes without its suffix, "{h}" a header's path, "{i}" a folder of headers.
"""

OPTIMISE = "-O0 -O1 -O2 -O2 -O2 -O3 -Os -Og -Ofast -O -Oz".split()

WARNINGS = ["-Wall", "-Wextra"] * 5 + """-Wall -Wextra -Wall -pedantic -pedantic-errors -Werror -Werror=unused-variable -w -Wdate-time -Wmissing-include-dirs
-Wunused -Wundef -Wconversion -Wshadow -Wno-unused-variable -Wsystem-headers -Wtrigraphs -Wcomment -Wbidi-chars=any
-Wno-unknown-warning -Wno-such-thing -Weverything -Wfatal-errors -Wno-error -Wformat=2 -Wnormalized=nfc
-Wstack-usage=16 -Wframe-larger-than=8 -Winvalid-pch -Wunused-macros -Wno-cpp -Wimplicit-fallthrough -Warray-bounds=2""".split()

DEBUG = ["-g", "-gdwarf-4"] * 8 + """-g -g -g1 -g2 -g3 -g0 -ggdb -ggdb3 -gdwarf-2 -gdwarf-3 -gdwarf-4 -gdwarf-5 -gline-tables-only -gz -gz=zlib -gz=none
-gsplit-dwarf -gsplit-dwarf=split -gsplit-dwarf=single -gstrict-dwarf -gpubnames -ggnu-pubnames -gdwarf64 -gdwarf32
-grecord-gcc-switches -gno-record-gcc-switches -frecord-gcc-switches -fdebug-types-section -gno-column-info -gembed-source
-femit-class-debug-always -feliminate-unused-debug-types -fno-eliminate-unused-debug-types -gstabs -gvms -gxcoff
-fstandalone-debug -gcolumn-info -ginline-points -gas-loc-support -gno-as-locview-support -fmerge-debug-strings
-fvar-tracking -gvariable-location-views -gdescribe-dies -fdebug-macro -gline-directives-only""".split()

MACHINE = ["-march=native", "-mavx2"] * 4 + """-march=native -mtune=native -march=x86-64 -march=haswell -mavx2 -mno-avx -msse4.2 -m32 -m64 -mx32 -mcmodel=large
-mcmodel=kernel -mno-red-zone -march=skylake-avx512 -mprefer-vector-width=128 -mfpmath=sse -mindirect-branch=thunk
-mno-sse -mgeneral-regs-only -fcf-protection=none -fcf-protection -masm=intel -mfentry -mno-such""".split()

CODE = """-fPIC -fpic -fPIE -fno-pic -fvisibility=hidden -ffunction-sections -fdata-sections -fstack-protector-strong
-fcommon -fno-common -fshort-enums -funsigned-char -ffreestanding -fno-builtin -fomit-frame-pointer
-fno-asynchronous-unwind-tables -fwrapv -fno-strict-aliasing -ftree-vectorize -funroll-loops -ffast-math -fopenmp -pthread -pg -p
-fno-ident -fverbose-asm -fno-inline -finstrument-functions -fstack-clash-protection -fpatchable-function-entry=2
-fsanitize=address -fsanitize=undefined -fsanitize=address,undefined -fsanitize=thread -fsanitize=leak
-flto -flto=auto -fno-lto -pipe -ftrapv -fms-extensions -Wl,-z,now -L. -lm -shared -static -s -rdynamic
-undef -trigraphs -fmax-errors=1 -ftabstop=4 -fdollars-in-identifiers -frandom-seed -Wa,--noexecstack -Wa,-gdwarf-5 -Wa,-L -Wa,-W
-Wa,--fatal-warnings -Wp,-DWP=1 --param=ssp-buffer-size=4 -fno-spell-checking -finput-charset=UTF-8 -fexec-charset=UTF-8
-fmessage-length=40 -fmessage-length=0 -H -pass-exit-codes -nostdinc -fno-canonical-system-headers""".split()

# Of one compiler alone, wrong, or of an effect that is told apart rarely. None that reports times and memory.
ODD = """-fno-exceptions -fno-rtti -flto=thin -ffat-lto-objects -fno-fat-lto-objects -fwhole-program -fsanitize=memory -fsanitize-recover=all
-fno-sanitize=all -fsanitize=bogus -fsanitize-address-use-after-scope -ansi -fgnu89-inline -fpermissive -fchar8_t -fconcepts -fcoroutines
-fmodules -fmodules-ts -fdump-tree-optimized -fdump-rtl-expand -fdump-passes -fopt-info -fopt-info-vec=opt.txt -dD
-dumpbase=dumped -dA -dP -time -ftime-trace -v -###
-fanalyzer -fprofile-use -fprofile-use=missing.profdata -fauto-profile -fbranch-probabilities -fno-working-directory
-fworking-directory -fdirectives-only -fpreprocessed -traditional-cpp -P -C -CC
-nostdinc++ -nostdlibinc -fno-integrated-as -integrated-as -fintegrated-as -no-integrated-cpp
-fcanonical-system-headers -no-canonical-prefixes -Qunused-arguments
-fsyntax-only -finput-charset=latin1 -fexec-charset=latin1 -fwide-exec-charset=UTF-16
-ftrack-macro-expansion=0 -ferror-limit=1 -fextended-identifiers
-fno-access-control -ftemplate-depth=20 -fno-toplevel-reorder -fkeep-inline-functions
-Wa,-al -Wa,-adhln=list.txt -Wa,-I. -Wa,--MD,asm.d -Wa,-defsym,X=1 -Wp,-v -Wp,-H -Wp,-P
--sysroot=/ --sysroot=missing -B. -Bmissing/ -specs=missing.specs -fplugin=missing.so --target=x86_64-linux-gnu
--target=aarch64-linux-gnu -emit-llvm -MG -fno-such-flag --no-such -Zbogus""".split() + [
    "-Xclang -fno-pch-timestamp", "-Xpreprocessor -DXP=1", "-Xassembler --warn", "-Xlinker -z", "-mllvm -inline-threshold=1",
    "--param max-inline-insns-single=5", "-wrapper env", "-target i386-linux-gnu", "-x none", "-aux-info aux.txt", "-imultilib x",
    "-isysroot .", "-S -emit-llvm"]

DIAGNOSTICS = ["-fdiagnostics-color=always"] * 6 + """-fdiagnostics-color=always -fdiagnostics-color=never -fdiagnostics-color=auto -fdiagnostics-color -fcolor-diagnostics
-fno-color-diagnostics -fno-diagnostics-show-caret -fno-diagnostics-show-option -fdiagnostics-plain-output
-fdiagnostics-format=json -fdiagnostics-format=text -fdiagnostics-format=sarif-file -fdiagnostics-format=vi -fdiagnostics-format=msvc
-fdiagnostics-parseable-fixits -fdiagnostics-generate-patch -fdiagnostics-urls=always -fdiagnostics-urls=never
-fdiagnostics-show-line-numbers -fno-diagnostics-show-line-numbers -fdiagnostics-absolute-paths -fdiagnostics-show-category=id
-fshow-column -fno-show-column -fdiagnostics-show-location=every-line -fdiagnostics-print-source-range-info -fansi-escape-codes
-fdiagnostics-escape-format=bytes -fdiagnostics-column-unit=byte -fdiagnostics-minimum-margin-width=2 -fshow-skipped-includes
-fno-caret-diagnostics -fdiagnostics-show-note-include-stack -fdiagnostics-show-template-tree -fno-show-source-location
-fserialize-diagnostics -fdiagnostics-format=bogus""".split()

SIDES = ["-save-temps", "--coverage", "-fstack-usage"] * 3 + """-fstack-usage -fcallgraph-info -fcallgraph-info=su,da -save-temps -save-temps=obj -save-temps=cwd --save-temps
-fsave-optimization-record --coverage -coverage -ftest-coverage -fprofile-arcs -fprofile-generate -fprofile-generate=prof
-fprofile-instr-generate -fcoverage-mapping -fprofile-instr-generate=x.profraw -fprofile-abs-path
-fprofile-note=note.gcno -fprofile-dir=profiles -fprofile-update=atomic""".split()

DEPFILES = ["-MD", "-MMD", "-MD -MP", "-MD -MF x.d"] * 12 + """-MD|-MMD|-MD -MP|-MMD -MP|-MD -MF x.d|-MMD -MFx.d|-MD -MF {dir}/x.d|-MD -MF out/x.d|-MD -MF missing/x.d|-MD -MF /dev/null
-MD -MT target|-MD -MTtarget -MT other|-MMD -MQ $(odd)|-MD -MQ {dir}/a.o|-MD -MP -MT a.o|-MF x.d|-MT t|-MP|-MP -MD -MF x.d -MT t
-Wp,-MD,x.d|-Wp,-MMD,x.d|-Wp,-MD,x.d -Wp,-MT,t|-Wp,-MMD,{dir}/x.d|-Wp,-MD,out/x.d,-MT,t|-Wp,-MD,x.d -Wp,-MP|-Wp,-MMD,x.d,-MP
-MD -MF existing.d|-MD -MF readonly.d|-MD -MF linked.d|-MD -MF dangling.d|-MD -MF .|-MD -MF|-MD -MF x.d -MF y.d|-MD -MD|-MMD -MD
-MJ x.json|-MJx.json -MD|-MJ existing.d|--write-dependencies|--write-user-dependencies|-MD -MG|-MD --output-pch=x|-MD -MF -
-MD -MV|-MD -MF x.d -Wp,-MD,y.d|-MD -MF a.c.d|-MMD -MF=x.d|-Wp,-MP,-MD,x.d|-Xpreprocessor -MD -Xpreprocessor x.d
-MD -MF x\\ y.d|-MD -MF x=y.d|-MD -MT a$b|-MD -MT a#b|-MD -MT |-MD -MF ""|--dependencies""".replace("\n", "|").split("|")

MAPS = ["-ffile-prefix-map={dir}=.", "-fdebug-prefix-map={dir}=/src"] * 4 + """-ffile-prefix-map={dir}=.|-ffile-prefix-map={dir}=|-fdebug-prefix-map={dir}=/src|-fmacro-prefix-map={dir}/=|-ffile-prefix-map=/usr=U
-ffile-prefix-map=a=b|-fdebug-prefix-map={link}=L|-ffile-prefix-map=/=ROOT/|-fcoverage-prefix-map={dir}=C|-fprofile-prefix-map={dir}=P
-ffile-prefix-map=bogus|-fdebug-compilation-dir=/elsewhere|-ffile-compilation-dir=.|-fdebug-compilation-dir .|-fcoverage-compilation-dir=x
-ffile-prefix-map={dir}=. -fmacro-prefix-map=inc=I|-fdebug-prefix-map=/tmp=T -fdebug-prefix-map={dir}=S""".replace("\n", "|").split("|")

OUTPUTS = ["-o a.o", "-oa.o", "-o {dir}/a.o", "-o out/a.o", "-o {dir}/out/a.o"] * 10 + """-o a.o|-oa.o|-o {dir}/a.o|-o {link}/a.o|-o out/a.o|-oout/a.o|-o ../a.o|-o ./a.o|-o out/../a.o|-o linkdir/a.o|-o missing/a.o
-o existing.o|-o readonly.o|-o linked.o|-o dangling.o|-o hard.o|-o locked/a.o|-o locked/old.o|-o /dev/null|-o out|-o .|-o a b.o|-o a=b.o
-o ä.o|-o noext|-o a.s|-o a.c|-o a.txt.o|-o -a.o|-o|-o -|-o a.o -o b.o|--output=a.o|--output a.o|-o out//a.o|-o a.o.o|-o .o|-o out/.o
-o existing.o|-o a.d|-o linked_out.o|-o {dir}/out/a.o|-o {link}/out/a.o|-o=a.o|-o existing.d""".replace("\n", "|").split("|")

MACROS = ["-DD=1", "-include {h}"] * 6 + """-DD|-DD=1|-D D=2|-UD|-D__FILE__=x|-DD=a b|-D"D"=1|-DH="a.h"|-D'D(x)=x'|-DD='"'|-D|-DD=ä|-D_FORTIFY_SOURCE=2|-DNDEBUG
-U__AVX2__|-D__OPTIMIZE__|-D_GNU_SOURCE|-UD -DD=3|--define-macro=D=4|--define-macro D|-D__DATE__="x"|-Wno-builtin-macro-redefined -D__TIME__=
-imacros {h}|-include {h}|-include{h}|--include={h}|--include {h}|-include missing.h|-include {dir}/{h}|-include stddef.h""".replace("\n", "|").split("|")

FOLDERS = ["-I{i}", "-isystem {i}", "-I{dir}/{i}"] * 8 + """-I{i}|-I {i}|-I{dir}/{i}|-I{link}/{i}|-I./{i}|-I{i}/|-I{i}/.|-isystem {i}|-isystem{i}|-isystem {dir}/{i}|-iquote {i}|-iquote{i}
-idirafter {i}|-idirafter{i}|-I{i}/../{i}|-I.|-I|-I{dir}|-I..|-Imissing|-isystem missing|-I linkdir|-isystem linkdir|-isystem {dir}/linkdir
--include-directory={i}|--include-directory {i}|-I=/{i}|-I-|-iprefix {i}/ -iwithprefix x|-cxx-isystem {i}|-I{i} -I{i}|-isystem /usr/include
-I/usr/include|-I{h}|-I {dir}/missing/../{i}|-iwithprefixbefore x|-isystem-after {i}|-isystem {dir}/out/../{i}""".replace("\n", "|").split("|")

C_STANDARDS = "-std=c89 -std=c99 -std=c11 -std=gnu11 -std=c17 -std=gnu2x -std=iso9899:199409 -std=c++17 -std=bogus --std=c11".split()
CXX_STANDARDS = "-std=c++98 -std=c++11 -std=c++14 -std=c++17 -std=c++20 -std=gnu++20 -std=c++2b -std=c11 --std=c++17".split()

LANGUAGES = {"c": ["-x c", "-xc", "-x c++", "-x none", "-x cpp-output", "-x assembler-with-cpp", "--language=c", "-x c-header"],
             "cc": ["-x c++", "-xc++", "-x c", "-x c++-cpp-output", "-x bogus", "--language c++", "-x c++-header"],
             "s": ["-x assembler", "-x assembler-with-cpp", "-xassembler"],
             "S": ["-x assembler", "-x assembler-with-cpp"]}

ACTIONS = ["-c"] * 100 + ["-S", "-E", "-fsyntax-only", "-M", "-MM", "", "-c -S", "-c -E", "-c -c"]

VARIABLES = [
    ("LANG", ["C", "C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8", "de_DE", "xx_YY.UTF-8", "", "POSIX", "C.utf8"]),
    ("LC_ALL", ["C", "C.UTF-8", "", "de_DE.UTF-8", "en_GB.ISO-8859-1"]),
    ("LC_CTYPE", ["C", "C.UTF-8", "en_US.ISO-8859-1"]),
    ("LC_MESSAGES", ["C", "de_DE.UTF-8", "en_US"]),
    ("LANGUAGE", ["de", "en", "de:en", ""]),
    ("TZ", ["UTC", "Europe/Berlin", "XXX-14", "AAA+11", "", ":America/New_York", "/usr/share/zoneinfo/Asia/Tokyo", "nonsense",
            "CET-1CEST,M3.5.0,M10.5.0/3", ":/etc/localtime", "../zoneinfo/UTC", "<+0530>-5:30"]),
    ("COLUMNS", ["40", "80", "200", "0", "-1", "x"]),
    ("TERM", ["dumb", "xterm-256color", ""]),
    ("GCC_COLORS", ["", "error=01;31:warning=01;35", "nonsense"]),
    ("NO_COLOR", ["1"]), ("TERM_URLS", ["st"]), ("GCC_URLS", ["st", "no"]),
    ("CPATH", ["{i}", "{dir}/{i}", ":{i}", "{i}:", "missing:{i}", "", "."]),
    ("C_INCLUDE_PATH", ["{i}", "{dir}/{i}", ":{i}"]),
    ("CPLUS_INCLUDE_PATH", ["{i}", "{dir}/{i}", "{i}:missing"]),
    ("OBJC_INCLUDE_PATH", ["{i}"]),
    ("TMPDIR", ["{dir}/out", "{dir}/missing", ".", "/tmp", "", "{dir}/locked"]),
    ("TMP", ["{dir}/out"]), ("TEMP", ["{dir}/missing"]),
    ("SOURCE_DATE_EPOCH", ["0", "1000000000", "253402300799", "x", "", "-1", "99999999999999"]),
    ("DEPENDENCIES_OUTPUT", ["env.d", "env.d target", "{dir}/out/env.d"]),
    ("SUNPRO_DEPENDENCIES", ["sun.d", "sun.d target"]),
    ("GCC_EXTRA_DIAGNOSTIC_OUTPUT", ["fixits-v1", "fixits-v2"]),
    ("COMPILER_PATH", ["{dir}", "missing"]), ("LIBRARY_PATH", ["{i}", "missing"]), ("GCC_EXEC_PREFIX", ["missing/"]),
    ("GCC_COMPARE_DEBUG", ["-w%n", ""]), ("CCC_OVERRIDE_OPTIONS", ["+-O3", "#+-g"]), ("CLANG_CRASH_DIAGNOSTICS_DIR", ["."]),
    ("POSIXLY_CORRECT", ["1"]), ("MALLOC_PERTURB_", ["7"]), ("AS_OPTIONS", ["x"]), ("CPP_RESTRICTED", ["1"]),
    ("LD_LIBRARY_PATH", ["{dir}", "", "missing"]), ("LD_BIND_NOW", ["1"]), ("HOME", ["{dir}", "/missing"]), ("COMPILER_NAME", ["x"]),
    ("LLVM_PROFILE_FILE", ["x.profraw"]), ("ASAN_OPTIONS", ["detect_leaks=0"]), ("CFLAGS", ["-g"]), ("PATH", ["/usr/bin:/bin", "/bin:{dir}:/usr/bin"]),
]
USUAL_VARIABLES = [v for v in VARIABLES if v[0] in ("LANG", "LC_ALL", "TZ", "COLUMNS", "TERM", "CPATH", "TMPDIR", "SOURCE_DATE_EPOCH")]
