// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "render/table.hpp"

namespace unmask {

/// True when the descriptor is a terminal.
bool IsTerminal(int fd);

/// The terminal's width from the system or COLUMNS; `otherwise` when neither tells.
int TerminalWidth(int fd, int otherwise);

/// How to print tables there: colours on a terminal that has them, unless NO_COLOR is set (no-color.org).
TableStyle StyleFor(int fd);

}  // namespace unmask
