"""The moments of an answer: what the browser is told of them, and the component that shows them."""
