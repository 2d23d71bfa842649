// Keys of the page. What the browser or a field keeps for itself is left to it.

const KEYS = [
  ['1 to 9', 'play that moment'],
  ['N, P', 'next and previous moment'],
  ['A', 'play all, one after the other'],
  ['Space, K', 'play, pause'],
  ['J, L', 'ten seconds back, ahead'],
  ['← →', 'five seconds back, ahead'],
  [', .', 'one picture back, ahead'],
  ['B', 'put the moment into the basket, or take it out'],
  ['Escape', 'close the player'],
  ['/', 'to the search field'],
  ['?', 'show these keys'],
]

const PICTURE = 1 / 25 // seconds of a step, where nothing says how long a picture lasts

function isTyping(target) {
  const fields = 'input:not([type="checkbox"], [type="radio"]), textarea, select'
  return target.closest?.(`${fields}, [contenteditable="true"], [role="combobox"]`)
}

function listenForKeys(moments) {
  document.addEventListener(
    'keydown',
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (!moments.root.isConnected) return
      const done = pressed(moments, event)
      const letter = event.key.length === 1 && event.key !== ' '
      // Of plain letters the page beneath has its own use: R would draw it anew.
      if (done || letter) event.stopImmediatePropagation()
      if (done) event.preventDefault()
    },
    { capture: true },
  )
}

function pressed(moments, event) {
  const { player } = moments
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  const onButton = event.target.closest?.('button, summary, a, input, [role="button"]')
  if (key.startsWith('Arrow') && event.target.closest?.('[type="radio"], [role="radio"]')) return false
  if (key === '/') return moments.toSearchField()
  if (key === '?') return moments.showKeys()
  if (/^[1-9]$/.test(key)) return moments.playRank(Number(key))
  if (key === 'n') return moments.step(1)
  if (key === 'p') return moments.step(-1)
  if (key === 'a') return moments.playEvery()
  if (!player.open) return false
  const { video } = player
  const ways = {
    Escape: () => moments.close(),
    k: () => (video.paused ? video.play() : video.pause()),
    j: () => player.seek(video.currentTime - 10),
    l: () => player.seek(video.currentTime + 10),
    ArrowLeft: () => player.seek(video.currentTime - 5),
    ArrowRight: () => player.seek(video.currentTime + 5),
    ',': () => (video.pause(), player.seek(video.currentTime - PICTURE)),
    '.': () => (video.pause(), player.seek(video.currentTime + PICTURE)),
    b: () => player.moment && moments.toggleBasket(player.moment),
  }
  if (key === ' ' && !onButton) ways[' '] = ways.k
  if (!(key in ways)) return false
  ways[key]()
  return true
}
