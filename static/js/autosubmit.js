// <form data-autosubmit> is sent when a choice changes; what is typed is sent with Enter or the button.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-autosubmit]") && event.target.matches("select, input[type=checkbox], input[type=radio]")) form.requestSubmit();
});
