// Airflow shows this page in a sandboxed frame, in which a link to Airflow itself (target="_top") leads nowhere.
// The page around the frame is of the same origin: it follows the link instead.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[target="_top"]');
  if (!link || window.parent === window) return;
  event.preventDefault();
  const outside = window.parent.document.createElement("a");
  outside.href = link.href;
  window.parent.document.body.append(outside);
  outside.click();
  outside.remove();
});
