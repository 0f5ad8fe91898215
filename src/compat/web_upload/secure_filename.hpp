// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace unmask::compat {

/// Werkzeug's secure_filename(): "../../etc/x.PNG" is "etc_x.PNG". Letters of Latin scripts lose their marks,
/// other scripts go. Here it only words a message; no file is called so.
std::string SecureFilename(std::string_view name);

/// True when what follows the last dot is jpg, jpeg or png, in any case.
bool HasPictureExtension(std::string_view name);

}  // namespace unmask::compat
