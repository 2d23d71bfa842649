"""What videos tell beside their pictures: capture time, camera and subtitles."""
