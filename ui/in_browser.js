// Features that Streamlit does not offer in Python: focus, history, texts for screen readers.

let begun = false
let ask = null

export default function ({ data, parentElement, setTriggerValue }) {
  ask = (picture) => setTriggerValue('picture', picture)
  if (!begun) {
    begun = true
    makeEachQuestionAStep()
    takeDroppedPictures()
    if (!data.asked) document.querySelector('input[aria-label="Sentence"]')?.focus()
  }
  const said = parentElement.querySelector('[role="status"]')
  if (said.textContent !== data.said) said.textContent = data.said
}

// Streamlit replaces the address when a widget changes: the step back to the last question is lost.
// What the server changes in it makes a step: that leads back to the same question. What plays, and
// whether all moments are shown, belongs to the question before.
function makeEachQuestionAStep() {
  const [replace, push] = [history.replaceState, history.pushState].map((way) => way.bind(history))
  history.replaceState = history.pushState = (state, title, url) => {
    const now = new URL(location)
    const next = url === undefined ? now : new URL(url, location)
    if (question(next) === question(now)) return replace(state, title, url)
    for (const address of [now, next]) address.searchParams.delete('play')
    next.searchParams.delete('all')
    replace(history.state, title, now)
    push(state, title, next)
  }
}

function question(address) {
  const asked = new URLSearchParams(address.search)
  for (const other of ['play', 'all', 'name', 'page']) asked.delete(other)
  asked.sort()
  return asked.toString()
}

// A picture that is dropped anywhere is a question. Without this the browser would leave the page,
// and show the picture.
function takeDroppedPictures() {
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files')
  document.addEventListener('dragover', (event) => carriesFiles(event) && event.preventDefault())
  document.addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return
    event.preventDefault()
    const picture = event.dataTransfer.files[0]
    if (!picture?.type.startsWith('image/') || event.target.closest('[data-testid="stFileUploader"]')) return
    const reader = new FileReader()
    reader.onload = () => ask({ name: picture.name, content: reader.result.split(',')[1] })
    reader.readAsDataURL(picture)
  })
}
