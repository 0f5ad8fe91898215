// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "http/message.hpp"

namespace unmask {

/// The files behind /docs, read once and shared by every interface that describes itself.
struct DocsFiles {
  using Text = std::shared_ptr<const std::string>;
  Text page, script, missing_page;  ///< ours, of the folder `web`; null: absent
  Text ui_script, ui_style;         ///< Swagger UI's; null: absent

  bool has_ui() const { return ui_script && ui_style; }
};

/// Reads them. What is absent is a warning in the log, never a failure.
std::shared_ptr<const DocsFiles> ReadDocsFiles(const std::filesystem::path& web,
                                               const std::filesystem::path& swagger_ui);

/// One answer that is the same for everybody.
struct FixedPage {
  std::string path;
  http::Response response;
};

/// What an interface says about itself, relative to its root wherever that is mounted:
///   /openapi.json  the description (OpenAPI 3.1) in the file `document`
///   /docs          shows it with Swagger UI, which loads nothing from elsewhere; without Swagger UI's files
///                  503, a page that says how to install them
///   /redoc         goes to /docs
/// An absent `document` is a warning in the log, and no pages.
std::vector<FixedPage> DocsPages(const DocsFiles& files, const std::filesystem::path& document);

}  // namespace unmask
