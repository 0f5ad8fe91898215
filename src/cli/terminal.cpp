// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "cli/arguments.hpp"

namespace unmask {
namespace {

constexpr int kWidthElsewhere = 120;  // of a table in a file or a pipe

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool IsTerminal(int fd) { return ::isatty(fd) == 1; }

int TerminalWidth(int fd, int otherwise) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const auto columns = ParseWhole(Variable("COLUMNS"), 1, 10000);
  return columns ? static_cast<int>(*columns) : otherwise;
}

TableStyle StyleFor(int fd) {
  if (!IsTerminal(fd)) return {.width = kWidthElsewhere, .color = false};
  const bool color = Variable("NO_COLOR").empty() && Variable("TERM") != "dumb";
  return {.width = TerminalWidth(fd, 80), .color = color};
}

}  // namespace unmask
