// Features that Streamlit does not offer in Python: focus, history, texts for screen readers.

let begun = false

export default function ({ data, parentElement }) {
  if (!begun) {
    begun = true
    makeEachQuestionAStep()
    if (!data.asked) document.querySelector('input[aria-label="Sentence"]')?.focus()
  }
  const said = parentElement.querySelector('[role="status"]')
  if (said.textContent !== data.said) said.textContent = data.said
}

// Streamlit replaces the address when a widget changes; the step back to the last question is lost.
function makeEachQuestionAStep() {
  const replace = history.replaceState.bind(history)
  history.replaceState = (state, title, url) => {
    const another = url !== undefined && question(new URL(url, location)) !== question(location)
    if (another) history.pushState(state, title, url)
    else replace(state, title, url)
  }
}

function question(address) {
  const asked = new URLSearchParams(address.search)
  for (const other of ['play', 'name', 'page']) asked.delete(other)
  asked.sort()
  return asked.toString()
}
