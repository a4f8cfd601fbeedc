
"use strict";
// Fetches the page anew every five seconds while somebody looks at it.
(() => {
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("./", { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("status");
      if (!fresh) return;
      document.getElementById("status").replaceWith(fresh);
      document.title = page.title;
    } catch {
      document.title = "no answer · radsec-gw";
    }
  };
  setInterval(refresh, 5000);
})();
