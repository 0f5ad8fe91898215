// SPDX-License-Identifier: Apache-2.0
#include "api/docs.hpp"

#include <utility>

#include "base/file.hpp"
#include "base/log.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHtml = "text/html; charset=utf-8";
constexpr const char* kJavaScript = "text/javascript; charset=utf-8";
constexpr const char* kCss = "text/css; charset=utf-8";

// Swagger UI's style sheet has its icons in data URLs.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

DocsFiles::Text Read(const fs::path& file) {
  auto content = ReadSmallFile(file);
  if (content) return std::make_shared<const std::string>(std::move(*content));
  LogWarning("/docs is incomplete: {}: {}", file.string(), content.error().message);
  return nullptr;
}

void Add(std::vector<FixedPage>& pages, const char* path, const char* type, const DocsFiles::Text& content,
         int status = 200) {
  if (!content) return;
  http::Response response{.status = status, .content_type = type, .shared_body = content};
  response.headers.Set("Content-Security-Policy", kPolicy);
  response.headers.Set("Cache-Control", "no-cache");
  pages.push_back({path, std::move(response)});
}

}  // namespace

std::shared_ptr<const DocsFiles> ReadDocsFiles(const fs::path& web, const fs::path& swagger_ui) {
  return std::make_shared<const DocsFiles>(DocsFiles{
      .page = Read(web / "docs" / "docs.html"),
      .script = Read(web / "docs" / "docs.js"),
      .missing_page = Read(web / "docs" / "missing.html"),
      .ui_script = Read(swagger_ui / "swagger-ui-bundle.js"),
      .ui_style = Read(swagger_ui / "swagger-ui.css"),
  });
}

std::vector<FixedPage> DocsPages(const DocsFiles& files, const fs::path& document) {
  std::vector<FixedPage> pages;
  const auto text = Read(document);
  if (!text) return pages;
  Add(pages, "/openapi.json", "application/json", text);
  if (files.has_ui()) {
    Add(pages, "/docs", kHtml, files.page);
    Add(pages, "/docs/docs.js", kJavaScript, files.script);
    Add(pages, "/docs/swagger-ui.css", kCss, files.ui_style);
    Add(pages, "/docs/swagger-ui-bundle.js", kJavaScript, files.ui_script);
  } else {
    Add(pages, "/docs", kHtml, files.missing_page, 503);
  }
  http::Response moved{.status = 307, .content_type = "text/plain; charset=utf-8", .body = "see docs\n"};
  moved.headers.Set("Location", "docs");
  pages.push_back({"/redoc", std::move(moved)});
  return pages;
}

}  // namespace unmask
