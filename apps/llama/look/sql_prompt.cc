#include "llama/look/sql_prompt.h"

#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <clocale>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/text/format.h"

namespace llama::app {

Result<Interrupts> Interrupts::Take() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return ErrnoError(errno, "sigprocmask");
  Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return ErrnoError(errno, "signalfd");
  return Interrupts(std::move(fd));
}

bool Interrupts::Arrived() const {
  signalfd_siginfo info;
  bool arrived = false;
  while (read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) arrived = true;
  return arrived;
}

namespace {

constexpr int kRememberedLines = 1000;

struct EndEditing {
  void operator()(EditLine* editor) const { el_end(editor); }
};
struct EndHistory {
  void operator()(History* history) const { history_end(history); }
};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

class Prompt {
 public:
  Prompt(SqlShell& shell, const sql::SqlSession& session, const Interrupts& interrupts,
         const std::string& history_path)
      : shell_(shell),
        interrupts_(interrupts),
        history_path_(history_path),
        words_(session.Words()),
        editor_(el_init("llama", stdin, stdout, stderr)),
        history_(history_init()) {
    for (const char* command : {".help", ".quit", ".schema", ".tables", ".vertical"}) {
      words_.push_back(command);
    }
    std::sort(words_.begin(), words_.end());
    EditLine* editor = editor_.get();
    el_set(editor, EL_CLIENTDATA, this);
    el_set(editor, EL_PROMPT, &Prompt::Text);
    el_set(editor, EL_GETCFN, &Prompt::ReadCharacter);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_SIGNAL, 1);
    el_set(editor, EL_ADDFN, "complete-sql", "Complete a word of SQL", &Prompt::Complete);
    el_set(editor, EL_BIND, "^I", "complete-sql", nullptr);
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    HistEvent event;
    history(history_.get(), &event, H_SETSIZE, kRememberedLines);
    history(history_.get(), &event, H_SETUNIQUE, 1);
    if (!history_path_.empty()) history(history_.get(), &event, H_LOAD, history_path_.c_str());
    el_set(editor, EL_HIST, history, history_.get());
  }

  void Run() {
    for (;;) {
      int length = 0;
      const char* line = el_gets(editor_.get(), &length);
      if (line == nullptr || length <= 0) {
        Print("\n");
        if (!interrupted_) return;
        interrupted_ = false;
        shell_.Clear();
        more_ = false;
        el_reset(editor_.get());
        continue;
      }
      std::string text(line, static_cast<size_t>(length));
      if (text.ends_with('\n')) text.pop_back();
      Remember(text);
      if (!Handle(text)) return;
    }
  }

 private:
  static Prompt& Of(EditLine* editor) {
    void* prompt = nullptr;
    el_get(editor, EL_CLIENTDATA, &prompt);
    return *static_cast<Prompt*>(prompt);
  }
  static char* Text(EditLine* editor) {
    static char first[] = "llama> ";
    static char further[] = "  ...> ";
    return Of(editor).more_ ? further : first;
  }

  // One character of the terminal's UTF-8. 0 and -1 end the line.
  static int ReadCharacter(EditLine* editor, wchar_t* out) {
    Prompt& prompt = Of(editor);
    unsigned char byte = 0;
    if (!prompt.ReadByte(byte)) return prompt.interrupted_ ? -1 : 0;
    const int more = byte < 0xc0 ? 0 : (byte < 0xe0 ? 1 : (byte < 0xf0 ? 2 : 3));
    auto code = static_cast<uint32_t>(more == 0 ? byte : byte & (0x3f >> more));
    for (int i = 0; i < more; ++i) {
      if (!prompt.ReadByte(byte)) return prompt.interrupted_ ? -1 : 0;
      code = code << 6 | (byte & 0x3fu);
    }
    *out = static_cast<wchar_t>(code);
    return 1;
  }
  bool ReadByte(unsigned char& byte) {
    for (;;) {
      pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {interrupts_.fd(), POLLIN, 0}};
      if (poll(fds, 2, -1) < 0 && errno != EINTR) return false;
      if ((fds[1].revents & POLLIN) != 0 && interrupts_.Arrived()) {
        interrupted_ = true;
        return false;
      }
      if (fds[0].revents == 0) continue;
      const ssize_t n = read(STDIN_FILENO, &byte, 1);
      // A Ctrl-D that was typed before the terminal was read by the character comes as a zero.
      if (n == 1 && byte == 0) continue;
      if (n == 1) return true;
      if (n == 0 || (errno != EINTR && errno != EAGAIN)) return false;
    }
  }

  void Remember(const std::string& line) {
    if (line.find_first_not_of(" \t") == std::string::npos) return;
    HistEvent event;
    history(history_.get(), &event, H_ENTER, line.c_str());
    // Written with mode 0600.
    if (!history_path_.empty()) history(history_.get(), &event, H_SAVE, history_path_.c_str());
  }

  // False: the end.
  bool Handle(const std::string& line) {
    const SqlShell::Outcome outcome = shell_.Feed(line);
    more_ = outcome == SqlShell::Outcome::kMore;
    std::fflush(stdout);
    return outcome != SqlShell::Outcome::kQuit;
  }

  std::vector<std::string> Candidates(std::string_view prefix) const {
    const bool lower = Lower(prefix) == prefix;
    std::vector<std::string> out;
    for (const std::string& word : words_) {
      if (!Lower(word).starts_with(Lower(prefix))) continue;
      const bool keyword = word.find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
      out.push_back(keyword && lower ? Lower(word) : word);
    }
    return out;
  }

  static unsigned char Complete(EditLine* editor, int /*key*/) {
    const LineInfo* line = el_line(editor);
    const char* begin = line->cursor;
    const auto in_word = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '"';
    };
    while (begin > line->buffer && in_word(begin[-1])) --begin;
    const std::string prefix(begin, line->cursor);
    const std::vector<std::string> candidates = Of(editor).Candidates(prefix);
    if (prefix.empty() || candidates.empty()) return CC_ERROR;
    std::string common = candidates[0];
    for (const std::string& candidate : candidates) {
      const auto differ =
          std::mismatch(common.begin(), common.end(), candidate.begin(), candidate.end());
      common.erase(differ.first, common.end());
    }
    if (candidates.size() == 1) common += ' ';
    if (common.size() > prefix.size()) {
      el_deletestr(editor, static_cast<int>(prefix.size()));
      el_insertstr(editor, common.c_str());
      return CC_REFRESH;
    }
    Print("\n");
    for (const std::string& candidate : candidates) Print(Printable(candidate) + "  ");
    Print("\n");
    return CC_REDISPLAY;
  }

  SqlShell& shell_;
  const Interrupts& interrupts_;
  const std::string history_path_;
  std::vector<std::string> words_;
  std::unique_ptr<EditLine, EndEditing> editor_;
  std::unique_ptr<History, EndHistory> history_;
  bool more_ = false;
  bool interrupted_ = false;
};

}  // namespace

void RunSqlPrompt(SqlShell& shell, const sql::SqlSession& session, const Interrupts& interrupts,
                  const std::string& history_path) {
  std::setlocale(LC_CTYPE, "");  // how the editor draws what is not ASCII
  Prompt(shell, session, interrupts, history_path).Run();
}

}  // namespace llama::app
